import { DataType, dataTypeName, type FieldSchema, invalidParameter, missingParameter } from '@elanus/model';
import { invalidIndexParameter, invalidIndexType } from './index-error.ts';

const INTEGERS: readonly DataType[] = [DataType.Int8, DataType.Int16, DataType.Int32, DataType.Int64];
const NUMBERS: readonly DataType[] = [...INTEGERS, DataType.Float, DataType.Double];
const SORTED: readonly DataType[] = [...NUMBERS, DataType.Timestamptz, DataType.VarChar];
const BITMAPPED: readonly DataType[] = [DataType.Bool, ...INTEGERS, DataType.VarChar];

const SCALAR_INDEX_TYPES = ['INVERTED', 'BITMAP', 'STL_SORT', 'TRIE', 'NGRAM', 'RTREE'] as const;
type ScalarIndexType = (typeof SCALAR_INDEX_TYPES)[number];

const JSON_CAST_TYPES = ['BOOL', 'DOUBLE', 'VARCHAR', 'ARRAY_BOOL', 'ARRAY_DOUBLE', 'ARRAY_VARCHAR', 'JSON'];
const JSON_CAST_FUNCTIONS = ['STRING_TO_DOUBLE'];
const BITMAP_CARDINALITY_MAX = 1_000;

export function isScalarIndexType(type: string): boolean {
  return scalarIndexType(type) !== undefined;
}

/** @throws MilvusError 1100 or 1101 when `field` cannot have an index of this type with these parameters */
export function checkScalarIndex(
  field: FieldSchema,
  type: string,
  params: ReadonlyMap<string, string>,
): void {
  if (field.dataType === DataType.JSON) checkJsonCast(params);
  if (type === 'AUTOINDEX') return;
  const known = scalarIndexType(type);
  if (known === undefined) throw invalidIndexType(type);
  const problem = problemOf(field, known, params);
  if (problem !== null) throw invalidIndexParameter(problem);
}

/** Trie is written in several ways; the others are upper case. */
function scalarIndexType(type: string): ScalarIndexType | undefined {
  if (type === 'Trie' || type === 'marisa-trie') return 'TRIE';
  return SCALAR_INDEX_TYPES.find((known) => known === type);
}

function problemOf(
  field: FieldSchema,
  type: ScalarIndexType,
  params: ReadonlyMap<string, string>,
): string | null {
  const { dataType } = field;
  const isJson = dataType === DataType.JSON;
  switch (type) {
    case 'INVERTED':
      return dataType === DataType.Geometry ? wrongType(dataType, type) : null;
    case 'BITMAP':
      return bitmapProblem(field, params);
    case 'STL_SORT':
      return SORTED.includes(dataType) ? null : 'STL_SORT are only supported on numeric field';
    case 'TRIE':
      return dataType === DataType.VarChar ? null : 'TRIE are only supported on varchar field';
    case 'NGRAM':
      return dataType === DataType.VarChar ||
        (isJson && params.get('json_cast_type')?.toUpperCase() === 'VARCHAR')
        ? ngramProblem(params)
        : 'Ngram index can only be created on VARCHAR or JSON field';
    case 'RTREE':
      return dataType === DataType.Geometry ? null : wrongType(dataType, type);
  }
}

function wrongType(dataType: DataType, type: ScalarIndexType): string {
  return `data type ${dataTypeName(dataType)} can't build with this index ${type}`;
}

function bitmapProblem(field: FieldSchema, params: ReadonlyMap<string, string>): string | null {
  if (field.isPrimaryKey) return 'create bitmap index on primary key not supported';
  if (field.dataType === DataType.Array && !BITMAPPED.includes(field.elementType!)) {
    return 'bitmap index are only supported on bool, int, string for array field';
  }
  if (field.dataType !== DataType.Array && !BITMAPPED.includes(field.dataType)) {
    return 'bitmap index are only supported on bool, int, string';
  }
  const limit = params.get('bitmap_cardinality_limit');
  if (limit === undefined || isBetween(limit, 1, BITMAP_CARDINALITY_MAX)) return null;
  return `failed to check bitmap cardinality limit, should be larger than 0 and smaller than ${BITMAP_CARDINALITY_MAX}`;
}

function ngramProblem(params: ReadonlyMap<string, string>): string | null {
  const [min, max] = [params.get('min_gram'), params.get('max_gram')];
  if (min === undefined || max === undefined) return 'Ngram index must specify both min_gram and max_gram';
  const largest = Number.MAX_SAFE_INTEGER;
  if (isBetween(min, 1, largest) && isBetween(max, Number(min), largest)) return null;
  return `invalid min_gram or max_gram value for Ngram index, min_gram: ${min}, max_gram: ${max}`;
}

function checkJsonCast(params: ReadonlyMap<string, string>): void {
  const type = params.get('json_cast_type');
  if (type === undefined) throw missingParameter('json index must specify cast type', 'json_cast_type');
  if (!JSON_CAST_TYPES.includes(type.toUpperCase())) {
    throw invalidParameter(`json_cast_type ${type} is not supported`);
  }
  const castFunction = params.get('json_cast_function');
  if (castFunction !== undefined && !JSON_CAST_FUNCTIONS.includes(castFunction.toUpperCase())) {
    throw invalidParameter(`json_cast_function ${castFunction} is not supported`);
  }
}

function isBetween(text: string, min: number, max: number): boolean {
  const value = Number(text);
  return /^\d+$/.test(text) && value >= min && value <= max;
}
