import { INSTANT_MAX, INSTANT_MIN } from '@elanus/expr';
import { type FloatKind, findNonFinite } from '@elanus/kernel';
import {
  type ArrayColumn,
  type Column,
  DataType,
  type DenseVectorColumn,
  type FieldSchema,
  invalidParameter,
  type TimestamptzColumn,
  type VarCharColumn,
  type VectorArrayColumn,
} from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';
import { checkJsonValues } from './check-json.ts';
import { checkShapes } from './check-shapes.ts';

/** Bytes of numbers that are looked through in well under a millisecond; a multiple of every number's size. */
const SLICE_BYTES = 1024 * 1024;
const SLICE_ROWS = 64 * 1024;

/**
 * What the schema asks of values beyond their type: finite floats, lengths, capacities, JSON that is JSON.
 * Null rows hold zeroes and nothing, which pass.
 * @throws MilvusError 1100 that names the field and the row
 */
export function* checkValues(
  column: Column,
  field: FieldSchema,
  fieldNames: ReadonlySet<string>,
): Work<void> {
  switch (column.dataType) {
    case DataType.FloatVector:
      return yield* checkVectors(column, field, 'float32');
    case DataType.Float16Vector:
      return yield* checkVectors(column, field, 'float16');
    case DataType.BFloat16Vector:
      return yield* checkVectors(column, field, 'bfloat16');
    case DataType.Float:
    case DataType.Double:
      return yield* checkFloats(column.values, field, (element) => element);
    case DataType.VarChar:
      return yield* checkTextLengths(column, field, (element) => element);
    case DataType.Text:
      return yield* checkTextLengths(column, field, (element) => element);
    case DataType.JSON:
      return yield* checkJsonValues(column, field, fieldNames);
    case DataType.Geometry:
      return yield* checkShapes(column);
    case DataType.Timestamptz:
      return yield* checkInstants(column, field);
    case DataType.Array:
    case DataType.ArrayOfVector:
      return yield* checkArrays(column, field);
    default:
  }
}

function* checkVectors(
  { bytes, dim }: DenseVectorColumn,
  field: FieldSchema,
  kind: FloatKind,
  rowOf: (vector: number) => number = (vector) => vector,
): Work<void> {
  const position = yield* firstNonFinite(bytes, kind);
  if (position >= 0) throw notFinite(field, rowOf(Math.floor(position / dim)));
}

function* checkElementVectors(
  vectors: DenseVectorColumn,
  field: FieldSchema,
  rowOf: (element: number) => number,
): Work<void> {
  switch (vectors.dataType) {
    case DataType.FloatVector:
      return yield* checkVectors(vectors, field, 'float32', rowOf);
    case DataType.Float16Vector:
      return yield* checkVectors(vectors, field, 'float16', rowOf);
    case DataType.BFloat16Vector:
      return yield* checkVectors(vectors, field, 'bfloat16', rowOf);
    default:
  }
}

function* checkFloats(
  values: Float32Array | Float64Array,
  field: FieldSchema,
  rowOf: (element: number) => number,
): Work<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const position = yield* firstNonFinite(bytes, values.BYTES_PER_ELEMENT === 8 ? 'float64' : 'float32');
  if (position >= 0) throw notFinite(field, rowOf(position));
}

const FLOAT_BYTES: Readonly<Record<FloatKind, number>> = { float16: 2, bfloat16: 2, float32: 4, float64: 8 };

function* firstNonFinite(bytes: Uint8Array, kind: FloatKind): Work<number> {
  for (let begin = 0; begin < bytes.length; begin += SLICE_BYTES) {
    if (begin > 0) yield;
    const found = findNonFinite(bytes.subarray(begin, begin + SLICE_BYTES), kind);
    if (found >= 0) return begin / FLOAT_BYTES[kind] + found;
  }
  return -1;
}

function notFinite(field: FieldSchema, row: number): Error {
  return invalidParameter(`value of field ${field.name} is not a number or infinity, row number: ${row}`);
}

function* checkTextLengths(
  { length, offsets }: Pick<VarCharColumn, 'length' | 'offsets'>,
  field: FieldSchema,
  rowOf: (element: number) => number,
): Work<void> {
  const max = field.maxLength ?? Number.POSITIVE_INFINITY;
  for (let begin = 0; begin < length; begin += SLICE_ROWS) {
    if (begin > 0) yield;
    const tooLong = firstLonger(offsets, begin, Math.min(length, begin + SLICE_ROWS), max);
    if (tooLong < 0) continue;
    const size = offsets[tooLong + 1]! - offsets[tooLong]!;
    const kind =
      field.dataType === DataType.Array ? 'array' : field.dataType === DataType.Text ? 'text' : 'varchar';
    throw invalidParameter(
      `length of ${kind} field ${field.name} exceeds max length, row number: ${rowOf(tooLong)}, length: ${size}, max length: ${max}`,
    );
  }
}

function firstLonger(offsets: Uint32Array, begin: number, end: number, max: number): number {
  for (let at = begin; at < end; at++) if (offsets[at + 1]! - offsets[at]! > max) return at;
  return -1;
}

function* checkInstants({ values, length }: TimestamptzColumn, field: FieldSchema): Work<void> {
  for (let begin = 0; begin < length; begin += SLICE_ROWS) {
    if (begin > 0) yield;
    const end = Math.min(length, begin + SLICE_ROWS);
    for (let row = begin; row < end; row++) {
      if (values[row]! >= INSTANT_MIN && values[row]! <= INSTANT_MAX) continue;
      throw invalidParameter(
        `value of field ${field.name} is outside of the years 0 to 9999, row number: ${row}`,
      );
    }
  }
}

function* checkArrays(
  { length, offsets, elements }: ArrayColumn | VectorArrayColumn,
  field: FieldSchema,
): Work<void> {
  const max = field.maxCapacity ?? Number.POSITIVE_INFINITY;
  for (let begin = 0; begin < length; begin += SLICE_ROWS) {
    if (begin > 0) yield;
    const row = firstLonger(offsets, begin, Math.min(length, begin + SLICE_ROWS), max);
    if (row < 0) continue;
    const count = offsets[row + 1]! - offsets[row]!;
    throw invalidParameter(
      `length of array field ${field.name} exceeds max capacity, row number: ${row}, length: ${count}, max capacity: ${max}`,
    );
  }
  const rowOf = (element: number) => offsets.findIndex((end, at) => at > 0 && end > element) - 1;
  if ('dim' in elements) {
    yield* checkElementVectors(elements, field, rowOf);
    return;
  }
  if (elements.dataType === DataType.VarChar) yield* checkTextLengths(elements, field, rowOf);
  if (elements.dataType === DataType.Float || elements.dataType === DataType.Double) {
    yield* checkFloats(elements.values, field, rowOf);
  }
}
