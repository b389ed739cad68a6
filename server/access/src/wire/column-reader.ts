import {
  type Column,
  DataType,
  type DenseVectorType,
  dataTypeName,
  type FieldSchema,
  invalidParameter,
  isDenseVector,
  isVector,
  type MilvusError,
  unexpectedParameter,
} from '@elanus/model';
import { gatherRows } from '../rows/gather-rows.ts';
import { inSlices, type Work } from '../rows/sliced-work.ts';
import { spreadRows } from '../rows/spread-rows.ts';
import { type FieldData, readFieldData, readStructFields } from './field-data.ts';
import { SCALARS, VECTORS } from './field-data-format.ts';
import { readInstants } from './instants.ts';
import {
  type ElementType,
  emptyIsNull,
  readArrays,
  readElements,
  readInstantNumbers,
  readTexts,
  scalarSlot,
} from './scalar-values.ts';
import { readDenseVectors, readSparseVectors, readVectorArrays, vectorSlot } from './vector-values.ts';
import { WireError } from './wire-cursor.ts';

const SCALAR_SLOT_NAMES: Readonly<Record<number, string>> = {
  [SCALARS.bool]: 'bool array',
  [SCALARS.int]: 'int array',
  [SCALARS.long]: 'long array',
  [SCALARS.float]: 'float array',
  [SCALARS.double]: 'double array',
  [SCALARS.string]: 'string array',
  [SCALARS.array]: 'array array',
  [SCALARS.json]: 'json array',
  [SCALARS.timestamptz]: 'timestamptz array',
  [SCALARS.wkt]: 'geometry wkt array',
};
const VECTOR_SLOT_NAMES: Readonly<Record<number, string>> = {
  [VECTORS.float]: 'float vector',
  [VECTORS.binary]: 'binary vector',
  [VECTORS.float16]: 'float16 vector',
  [VECTORS.bfloat16]: 'bfloat16 vector',
  [VECTORS.sparse]: 'sparse float vector',
  [VECTORS.int8]: 'int8 vector',
  [VECTORS.array]: 'vector array',
};

/**
 * Reads what one element of `fields_data` says about itself; its values are read by `readColumn`.
 * @throws MilvusError 1100 for damaged bytes
 */
export function* readColumnHeader(bytes: Uint8Array): Work<FieldData> {
  try {
    return yield* readFieldData(bytes);
  } catch (error) {
    throw asMilvusError(error, 'cannot read field data');
  }
}

/** What the values of a column depend on beside its field. */
export interface ColumnContext {
  /** IANA name of the zone of instants that are written without an offset. */
  readonly timeZone: string;
}

/**
 * The sub-fields of sent struct arrays, as `readColumnHeader` reads a field. What they don't say about nulls the struct
 * says for them.
 * @throws MilvusError 1100 for damaged bytes
 */
export function* readStructHeaders(sent: FieldData): Work<readonly FieldData[]> {
  try {
    const fields = yield* readStructFields(sent);
    return fields.map((field) => (field.validity.length > 0 ? field : { ...field, validity: sent.validity }));
  } catch (error) {
    throw asMilvusError(error, 'cannot read field data');
  }
}

/** Whether the column was sent without any values, each row of it being null. */
export function isAllNull({ slot, validity }: FieldData): boolean {
  return slot === 0 && validity.length > 0 && !validity.includes(1);
}

/**
 * The values of one sent column as a full-length column of `rows` rows of the field's type, with every row that
 * was sent as null marked so, whatever the field allows. Vectors, floats and doubles are views on the request
 * where their bytes lie right: the request's buffer is theirs until the write has settled.
 * @throws MilvusError 1100 for damaged bytes, values of another type, another dimension or another number of rows
 */
export function* readColumn(
  sent: FieldData,
  field: FieldSchema,
  rows: number,
  context: ColumnContext,
): Work<Column> {
  checkSlot(sent, field);
  try {
    const values = yield* readValues(sent, field, context);
    const column = yield* withNulls(values, sent.validity, field.name, rows);
    if (column.dataType !== DataType.JSON || !field.nullable) return column;
    return { ...column, validity: emptyIsNull(column) };
  } catch (error) {
    throw asMilvusError(error, `cannot read the data of field ${field.name}`);
  }
}

function asMilvusError(error: unknown, context: string): unknown {
  return error instanceof WireError ? invalidParameter(`${context}: ${error.message}`) : error;
}

/** What is sent must be in the slot of the field's type; a slot that is not set at all counts as no values. */
function checkSlot(sent: FieldData, field: FieldSchema): void {
  if (sent.kind === 'none' || sent.slot === 0) {
    throw mismatch(field, 'nil');
  }
  const [kind, slot] = expectedSlot(field.dataType);
  const isInstantNumber = field.dataType === DataType.Timestamptz && sent.slot === SCALARS.timestamptz;
  if (sent.kind !== kind || (sent.slot !== slot && !isInstantNumber))
    throw mismatch(field, slotName(sent.kind, sent.slot));
  if (isDenseVector(field.dataType) && sent.dim !== BigInt(field.dim!)) {
    throw invalidParameter(
      `the dim (${sent.dim}) of field data(${field.name}) is not equal to schema dim (${field.dim})`,
    );
  }
}

function expectedSlot(type: DataType): readonly [kind: 'vectors' | 'scalars', slot: number | undefined] {
  if (type === DataType.ArrayOfVector) return ['vectors', VECTORS.array];
  return isVector(type) ? ['vectors', vectorSlot(type)] : ['scalars', scalarSlot(type)];
}

function mismatch(field: FieldSchema, actual: string): MilvusError {
  const [kind, slot] = expectedSlot(field.dataType);
  const expected = slotName(kind, slot ?? 0);
  return unexpectedParameter(
    `need ${expected}`,
    `got ${actual}`,
    `field '${field.name}' is illegal, array type mismatch`,
  );
}

function slotName(kind: FieldData['kind'], slot: number): string {
  if (kind === 'struct arrays') return kind;
  const names = kind === 'vectors' ? VECTOR_SLOT_NAMES : SCALAR_SLOT_NAMES;
  return names[slot] ?? 'unknown';
}

function* readValues(
  { payload, slot }: FieldData,
  field: FieldSchema,
  { timeZone }: ColumnContext,
): Work<Column> {
  const type = field.dataType;
  if (isDenseVector(type)) return yield* readDenseVectors(payload, type, field.dim!);
  switch (type) {
    case DataType.SparseFloatVector:
      return yield* readSparseVectors(payload);
    case DataType.JSON:
    case DataType.Geometry:
    case DataType.Text:
      return yield* readTexts(payload, type);
    case DataType.Timestamptz:
      if (slot === SCALARS.timestamptz) return yield* readInstantNumbers(payload);
      return yield* readInstants(yield* readTexts(payload, DataType.VarChar), timeZone);
    case DataType.ArrayOfVector:
      return yield* readVectorArrays(payload, field.elementType as DenseVectorType, field.dim!);
    case DataType.Array:
      return yield* readArrays(payload, field.elementType as ElementType);
    case DataType.Bool:
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
    case DataType.Int64:
    case DataType.Float:
    case DataType.Double:
    case DataType.VarChar:
      return yield* readElements(payload, type);
    default:
      throw new WireError(`${dataTypeName(type)} is not supported`);
  }
}

/** Clients send no values for null rows; some old ones send a placeholder for each. */
function* withNulls(values: Column, validity: Uint8Array, name: string, rows: number): Work<Column> {
  if (validity.length === 0) {
    if (values.length === rows) return values;
    throw invalidParameter(
      `the num_rows (${values.length}) of field (${name}) is not equal to passed num_rows (${rows})`,
    );
  }
  if (validity.length !== rows) {
    throw invalidParameter(
      `the length (${validity.length}) of valid_data of field (${name}) is not equal to passed num_rows (${rows})`,
    );
  }
  const validRows = yield* countOnes(validity);
  if (validRows === rows && values.length === rows) return values;
  if (values.length === validRows) return yield* spreadRows(values, validity);
  if (values.length !== rows) {
    throw invalidParameter(
      `the length of field (${name}) is wrong: ${values.length} values for ${validRows} valid rows of ${rows}`,
    );
  }
  const present = yield* gatherRows(values, yield* positionsOfOnes(validity, validRows));
  return yield* spreadRows(present, validity);
}

function* countOnes(validity: Uint8Array): Work<number> {
  let count = 0;
  yield* inSlices(validity.length, (begin, end) => {
    for (let row = begin; row < end; row++) count += validity[row]!;
  });
  return count;
}

function* positionsOfOnes(validity: Uint8Array, count: number): Work<Uint32Array> {
  const positions = new Uint32Array(count);
  let next = 0;
  yield* inSlices(validity.length, (begin, end) => {
    for (let row = begin; row < end; row++) if (validity[row] === 1) positions[next++] = row;
  });
  return positions;
}
