import { DataType } from '@elanus/model';
import type { Draft, schema_FieldSchema, schema_VectorField } from '@elanus/proto';
import type { Work } from '../rows/sliced-work.ts';
import { isObject } from './body.ts';
import type { Json } from './json-reader.ts';
import { badRow } from './rest-errors.ts';

const ROWS_PER_SLICE = 64;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The vectors of one field, one after the other, as `VectorField` has them. */
export function* vectorOf(
  field: schema_FieldSchema,
  values: readonly Json[],
): Work<Draft<schema_VectorField>> {
  const vectors: Uint8Array[] = [];
  for (const [at, value] of values.entries()) {
    if (at % ROWS_PER_SLICE === 0) yield;
    vectors.push(vectorBytes(field, value));
  }
  const dim = BigInt(dimensionOf(field));
  if (field.dataType === DataType.SparseFloatVector)
    return { dim, sparseFloatVector: { contents: vectors, dim: 0n } };
  const bytes = Buffer.concat(vectors);
  switch (field.dataType) {
    case DataType.FloatVector:
      return { dim, floatVector: { data: float32Of(bytes) } };
    case DataType.BinaryVector:
      return { dim, binaryVector: bytes };
    case DataType.Float16Vector:
      return { dim, float16Vector: bytes };
    case DataType.BFloat16Vector:
      return { dim, bfloat16Vector: bytes };
    default:
      return { dim, int8Vector: bytes };
  }
}

/**
 * One vector as its little-endian bytes; a sparse one as pairs of uint32 and float32, ascending.
 * @throws MilvusError 1804 when it is not one of the field's type and dimension
 */
export function vectorBytes(field: schema_FieldSchema, value: Json): Uint8Array {
  const dim = dimensionOf(field);
  const wrong = (what: string) => badRow(`the vector field ${field.name} ${what}`);
  const ofNumbers = (): number[] => {
    if (!Array.isArray(value) || value.some((element) => typeof element !== 'number'))
      throw wrong('takes an array of numbers');
    if (value.length !== dim) throw wrong(`has ${dim} dimensions, a vector came with ${value.length}`);
    return value as number[];
  };
  const ofBytes = (length: number): Buffer => {
    const bytes = rawBytes(value);
    if (bytes === null) throw wrong('takes the base64 text of its bytes');
    if (bytes.length !== length) throw wrong(`takes ${length} bytes a vector, ${bytes.length} came`);
    return bytes;
  };
  switch (field.dataType) {
    case DataType.FloatVector:
      return bytesOf(Float32Array.from(ofNumbers()));
    case DataType.BinaryVector:
      return ofBytes(dim / 8);
    case DataType.Float16Vector:
      return typeof value === 'string' ? ofBytes(2 * dim) : bytesOf(Float16Array.from(ofNumbers()));
    case DataType.BFloat16Vector:
      return typeof value === 'string'
        ? ofBytes(2 * dim)
        : bytesOf(Uint16Array.from(ofNumbers(), bfloat16Bits));
    case DataType.Int8Vector: {
      if (typeof value === 'string') return ofBytes(dim);
      const numbers = ofNumbers();
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

function dimensionOf({ typeParams }: schema_FieldSchema): number {
  return Number(typeParams.find(({ key }) => key === 'dim')?.value ?? 0);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function float32Of(bytes: Buffer): number[] {
  // Draft lists are arrays; the encoder only walks over them.
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return floats as unknown as number[];
}

/** Base64, or an array of byte values. */
function rawBytes(value: Json): Buffer | null {
  if (typeof value === 'string') return BASE64.test(value) ? Buffer.from(value, 'base64') : null;
  if (!Array.isArray(value)) return null;
  const isBytes = value.every((byte) => typeof byte === 'number' && (byte & 0xff) === byte);
  return isBytes ? Buffer.from(value as number[]) : null;
}

/** The upper half of a float32, rounded to the nearest, ties to even. */
function bfloat16Bits(value: number): number {
  WORD.setFloat32(0, value);
  const bits = WORD.getUint32(0);
  if (Number.isNaN(value)) return 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
const WORD = new DataView(new ArrayBuffer(4));

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
    Array.isArray(indices) && Array.isArray(values)
      ? indices.length === values.length
        ? indices.map((index, at) => [index, values[at]!])
        : [[null, null]]
      : Object.entries(value).map(([index, weight]) => [
          /^\d{1,10}$/.test(index) ? Number(index) : null,
          weight,
        ]);
  const entries: [number, number][] = [];
  for (const [index, weight] of pairs) {
    if (typeof index !== 'number' || index >>> 0 !== index || typeof weight !== 'number') return null;
    entries.push([index, weight]);
  }
  return entries;
}
