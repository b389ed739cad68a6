import { DataType, dataTypeName, isArray, isDenseVector, unreachable } from '@elanus/model';
import type { FileField } from './file-field.ts';
import type { FlatField, FlatObject } from './flatbuffer.ts';

/** Numbers of Arrow's union of types (`Schema.fbs`). */
const ARROW = {
  int: 2,
  float: 3,
  binary: 4,
  text: 5,
  bool: 6,
  instant: 10,
  list: 12,
  fixedBinary: 15,
  fixedList: 16,
} as const;

interface ArrowType {
  readonly number: (typeof ARROW)[keyof typeof ARROW];
  readonly parameters: readonly FlatField[];
  /** Of lists. */
  readonly item?: ArrowType;
}

const INT8: ArrowType = integer(8);
const SINGLE: ArrowType = { number: ARROW.float, parameters: [{ int16: 1 }] };
const DOUBLE: ArrowType = { number: ARROW.float, parameters: [{ int16: 2 }] };
const TEXT: ArrowType = { number: ARROW.text, parameters: [] };
const MICROSECONDS = 2;
const INSTANT: ArrowType = {
  number: ARROW.instant,
  parameters: [{ int16: MICROSECONDS }, { object: { text: 'UTC' } }],
};

/** Arrow's schema of a file with these columns. `metadata` goes to the schema as a whole. */
export function arrowSchema(
  fields: readonly FileField[],
  metadata: Readonly<Record<string, string>>,
): FlatObject {
  const littleEndian = { int16: 0 };
  const columns = { vector: fields.map(arrowField) };
  return { table: [littleEndian, { object: columns }, { object: keyValues(metadata) }] };
}

function arrowField(field: FileField): FlatObject {
  const metadata = {
    'elanus.field_id': String(field.id),
    'elanus.type': dataTypeName(field.dataType),
    ...(field.dim !== null && { 'elanus.dim': String(field.dim) }),
    ...(field.isPrimaryKey && { 'elanus.primary_key': 'true' }),
  };
  return flatField(field.name, field.nullable, arrowType(field), metadata);
}

function flatField(
  name: string,
  nullable: boolean,
  { number, parameters, item }: ArrowType,
  metadata: Readonly<Record<string, string>>,
): FlatObject {
  const items = item === undefined ? [] : [flatField('item', false, item, {})];
  const noDictionary = null;
  return {
    table: [
      { object: { text: name } },
      { int8: nullable ? 1 : 0 },
      { int8: number },
      { object: { table: parameters } },
      noDictionary,
      { object: { vector: items } },
      { object: keyValues(metadata) },
    ],
  };
}

function arrowType({ dataType, elementType, dim }: FileField): ArrowType {
  if (isArray(dataType)) {
    return { number: ARROW.list, parameters: [], item: valueType(elementType ?? DataType.Int64, dim) };
  }
  return valueType(dataType, dim);
}

function valueType(dataType: DataType, dim: number | null): ArrowType {
  if (!isDenseVector(dataType)) return scalarType(dataType);
  switch (dataType) {
    case DataType.FloatVector:
      return fixedList(SINGLE, dim ?? 0);
    case DataType.Int8Vector:
      return fixedList(INT8, dim ?? 0);
    case DataType.BinaryVector:
      return fixedBinary((dim ?? 0) / 8);
    // Arrow has no bfloat16, and DuckDB opens no file that has a float16.
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
      return fixedBinary(2 * (dim ?? 0));
    default:
      return unreachable(dataType);
  }
}

function scalarType(dataType: DataType): ArrowType {
  switch (dataType) {
    case DataType.Bool:
      return { number: ARROW.bool, parameters: [] };
    case DataType.Int8:
      return INT8;
    case DataType.Int16:
      return integer(16);
    case DataType.Int32:
      return integer(32);
    case DataType.Int64:
      return integer(64);
    case DataType.Float:
      return SINGLE;
    case DataType.Double:
      return DOUBLE;
    case DataType.VarChar:
    case DataType.JSON:
    case DataType.Geometry:
    case DataType.Text:
      return TEXT;
    case DataType.Timestamptz:
      return INSTANT;
    case DataType.SparseFloatVector:
      return { number: ARROW.binary, parameters: [] };
    default:
      throw new TypeError(`no column of type ${dataTypeName(dataType)}`);
  }
}

function integer(bits: number): ArrowType {
  return { number: ARROW.int, parameters: [{ int32: bits }, { int8: 1 }] };
}

function fixedList(item: ArrowType, length: number): ArrowType {
  return { number: ARROW.fixedList, parameters: [{ int32: length }], item };
}

function fixedBinary(bytes: number): ArrowType {
  return { number: ARROW.fixedBinary, parameters: [{ int32: bytes }] };
}

function keyValues(pairs: Readonly<Record<string, string>>): FlatObject {
  const vector = Object.entries(pairs).map(
    ([key, value]): FlatObject => ({ table: [{ object: { text: key } }, { object: { text: value } }] }),
  );
  return { vector };
}
