import { DataType, type MilvusError } from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';
import type { Work } from '../rows/sliced-work.ts';
import { bfloat16Of } from '../wire/bfloat16.ts';
import { LIST_DATA, SPARSE, VECTOR_ARRAY, VECTORS } from '../wire/field-data-format.ts';
import type { MessageWriter } from '../wire/message-writer.ts';
import { isArray, isObject } from './body.ts';
import type { Json } from './json-reader.ts';
import { badRow } from './rest-errors.ts';

/** Numbers between two yields. */
const NUMBERS_PER_SLICE = 32 * 1024;
const NO_NUMBERS = 'takes an array of numbers';
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

type VectorFieldSchema = Pick<schema_FieldSchema, 'name' | 'dataType' | 'elementType' | 'typeParams'>;

/** The vectors of one field. */
export interface SentVectors {
  readonly dataType: number;
  readonly dim: number;
  /** Of sparse ones each, of all others nothing. */
  readonly sparse: readonly Uint8Array[];
  /** All of them one after the other; of sparse ones nothing. */
  readonly bytes: Uint8Array;
}

/** @throws MilvusError 1804 for what is no vector of the field's type and dimension */
export function* vectorsOf(field: VectorFieldSchema, values: readonly Json[]): Work<SentVectors> {
  const { dataType } = field;
  const dim = dimensionOf(field);
  if (dataType === DataType.FloatVector)
    return { dataType, dim, sparse: [], bytes: yield* floatVectors(field, dim, values) };
  const vectors: Uint8Array[] = [];
  let length = 0;
  for (const [at, value] of values.entries()) {
    if ((at * (dim + 1)) % NUMBERS_PER_SLICE <= dim) yield;
    const vector = vectorBytes(field, value);
    length += vector.length;
    vectors.push(vector);
  }
  if (dataType === DataType.SparseFloatVector)
    return { dataType, dim, sparse: vectors, bytes: new Uint8Array(0) };
  const bytes = Buffer.allocUnsafe(length);
  let end = 0;
  for (const vector of vectors) {
    bytes.set(vector, end);
    end += vector.length;
  }
  return { dataType, dim, sparse: [], bytes };
}

/** Looked at before memory is taken: a row may be short, a dimension large. */
function* floatVectors(field: VectorFieldSchema, dim: number, values: readonly Json[]): Work<Uint8Array> {
  for (const value of values) requireNumbers(field, dim, value);
  const numbers = new Float32Array(dim * values.length);
  for (const [at, value] of values.entries()) {
    if ((at * (dim + 1)) % NUMBERS_PER_SLICE <= dim) yield;
    setNumbers(field, value as Json[] | Float64Array, numbers.subarray(at * dim, (at + 1) * dim));
  }
  return bytesOf(numbers);
}

/** The members of a `VectorField`. */
export function writeVectors(writer: MessageWriter, { dataType, dim, sparse, bytes }: SentVectors): void {
  writer.number(VECTORS.dim, dim);
  switch (dataType) {
    case DataType.SparseFloatVector:
      writer.message(VECTORS.sparse, (contents) => {
        for (const vector of sparse) contents.bytes(SPARSE.contents, vector);
      });
      return;
    case DataType.FloatVector:
      writer.message(VECTORS.float, (list) => list.bytes(LIST_DATA, bytes));
      return;
    case DataType.BinaryVector:
      writer.bytes(VECTORS.binary, bytes);
      return;
    case DataType.Float16Vector:
      writer.bytes(VECTORS.float16, bytes);
      return;
    case DataType.BFloat16Vector:
      writer.bytes(VECTORS.bfloat16, bytes);
      return;
    default:
      writer.bytes(VECTORS.int8, bytes);
  }
}

/** Arrays of vectors, each row's on its own. @throws MilvusError 1804 */
export function* vectorArraysOf(
  field: VectorFieldSchema,
  values: readonly Json[],
): Work<readonly SentVectors[]> {
  const arrays: SentVectors[] = [];
  for (const value of values) {
    if (!Array.isArray(value)) throw badRow(`the field ${field.name} takes arrays of vectors`);
    arrays.push(yield* vectorsOf({ ...field, dataType: field.elementType }, value));
  }
  return arrays;
}

export function writeVectorArrays(
  writer: MessageWriter,
  field: VectorFieldSchema,
  arrays: readonly SentVectors[],
): void {
  const dim = dimensionOf(field);
  writer.number(VECTORS.dim, dim);
  writer.message(VECTORS.array, (rows) => {
    rows.number(VECTOR_ARRAY.dim, dim);
    for (const array of arrays) rows.message(VECTOR_ARRAY.data, (vectors) => writeVectors(vectors, array));
    rows.number(VECTOR_ARRAY.elementType, field.elementType);
  });
}

/**
 * One vector as its little-endian bytes; a sparse one as pairs of uint32 and float32, ascending.
 * @throws MilvusError 1804 when it is not one of the field's type and dimension
 */
export function vectorBytes(field: VectorFieldSchema, value: Json): Uint8Array {
  const dim = dimensionOf(field);
  const wrong = (what: string) => misfitVector(field, what);
  const ofNumbers = <Numbers extends Float32Array | Float64Array | Float16Array>(
    numbers: Numbers,
  ): Numbers => {
    requireNumbers(field, dim, value);
    setNumbers(field, value, numbers);
    return numbers;
  };
  const ofBytes = (length: number): Buffer => {
    const bytes = rawBytes(value);
    if (bytes === null) throw wrong('takes the base64 text of its bytes');
    if (bytes.length !== length) throw wrong(`takes ${length} bytes a vector, ${bytes.length} came`);
    return bytes;
  };
  switch (field.dataType) {
    case DataType.FloatVector:
      return bytesOf(ofNumbers(new Float32Array(dim)));
    case DataType.BinaryVector:
      return ofBytes(dim / 8);
    case DataType.Float16Vector:
      return typeof value === 'string' ? ofBytes(2 * dim) : bytesOf(ofNumbers(new Float16Array(dim)));
    case DataType.BFloat16Vector:
      return typeof value === 'string' ? ofBytes(2 * dim) : bfloat16Of(ofNumbers(new Float32Array(dim)));
    case DataType.Int8Vector: {
      if (typeof value === 'string') return ofBytes(dim);
      const numbers = ofNumbers(new Float64Array(dim));
      if (numbers.some((element) => (element << 24) >> 24 !== element))
        throw wrong('takes integers from -128 to 127');
      return bytesOf(Int8Array.from(numbers));
    }
    case DataType.SparseFloatVector:
      return sparseBytes(value, wrong);
    default:
      throw wrong('has a type that REST cannot carry');
  }
}

/** Demands a list of `dim` values; whether they are numbers is seen when they are set. @throws MilvusError 1804 */
function requireNumbers(
  field: VectorFieldSchema,
  dim: number,
  value: Json,
): asserts value is Json[] | Float64Array {
  if (!isArray(value)) throw misfitVector(field, NO_NUMBERS);
  if (value.length !== dim)
    throw misfitVector(field, `has ${dim} dimensions, a vector came with ${value.length}`);
}

/** @throws MilvusError 1804 for anything but numbers */
function setNumbers(
  field: VectorFieldSchema,
  value: Json[] | Float64Array,
  numbers: Float32Array | Float64Array | Float16Array,
): void {
  if (value instanceof Float64Array) {
    numbers.set(value);
    return;
  }
  for (const [at, number] of value.entries()) {
    if (typeof number !== 'number' && typeof number !== 'bigint') throw misfitVector(field, NO_NUMBERS);
    numbers[at] = Number(number);
  }
}

function misfitVector({ name }: VectorFieldSchema, what: string): MilvusError {
  return badRow(`the vector field ${name} ${what}`);
}

/** 0: of a field without a fixed one. */
export function dimensionOf({ typeParams }: VectorFieldSchema): number {
  return Number(typeParams.find(({ key }) => key === 'dim')?.value ?? 0);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Base64, or an array of byte values. */
function rawBytes(value: Json): Buffer | null {
  if (typeof value === 'string') return BASE64.test(value) ? Buffer.from(value, 'base64') : null;
  if (!isArray(value)) return null;
  const list = Array.from<Json>(value);
  const isBytes = list.every((byte) => typeof byte === 'number' && (byte & 0xff) === byte);
  return isBytes ? Buffer.from(list as number[]) : null;
}

function sparseBytes(value: Json, wrong: (what: string) => Error): Uint8Array {
  const entries = sparseEntries(value);
  if (entries === null) throw wrong('takes {"index": value, ...} or {"indices": [...], "values": [...]}');
  entries.sort(([left], [right]) => left - right);
  const bytes = Buffer.alloc(8 * entries.length);
  for (const [at, [index, weight]] of entries.entries()) {
    bytes.writeUInt32LE(index, 8 * at);
    bytes.writeFloatLE(weight, 8 * at + 4);
  }
  return bytes;
}

function sparseEntries(value: Json): [index: number, weight: number][] | null {
  if (!isObject(value)) return null;
  const { indices, values } = value;
  const pairs: [Json, Json][] =
    indices !== undefined && isArray(indices) && values !== undefined && isArray(values)
      ? indices.length === values.length
        ? Array.from<Json, [Json, Json]>(indices, (index, at) => [index, values[at]!])
        : [[null, null]]
      : Object.entries(value).map(([index, weight]) => [
          /^\d{1,10}$/.test(index) ? Number(index) : null,
          weight,
        ]);
  const entries: [number, number][] = [];
  for (const [index, weight] of pairs) {
    if (typeof index !== 'number' || index >>> 0 !== index) return null;
    if (typeof weight !== 'number' && typeof weight !== 'bigint') return null;
    entries.push([index, Number(weight)]);
  }
  return entries;
}
