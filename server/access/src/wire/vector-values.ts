import {
  assert,
  DataType,
  type DenseVectorColumn,
  type DenseVectorType,
  dataTypeName,
  denseVectorBytes,
  type SparseVectorColumn,
  type VectorArrayColumn,
  type VectorType,
} from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';
import { type ByteList, readByteList } from './byte-lists.ts';
import { readSlot } from './field-data.ts';
import { LIST_DATA, VECTOR_ARRAY, VECTORS } from './field-data-format.ts';
import { packedContent } from './packed.ts';
import { checkSparseVector } from './vector-checks.ts';
import { tagOf, WIRE_TYPE, WireCursor, WireError } from './wire-cursor.ts';

/** Sparse vectors that are checked in well under a millisecond. */
const SLICE_BYTES = 256 * 1024;
const SLICE_ROWS = 2048;

/** The member of VectorField that carries vectors of a type. */
export function vectorSlot(type: VectorType): number {
  switch (type) {
    case DataType.FloatVector:
      return VECTORS.float;
    case DataType.BinaryVector:
      return VECTORS.binary;
    case DataType.Float16Vector:
      return VECTORS.float16;
    case DataType.BFloat16Vector:
      return VECTORS.bfloat16;
    case DataType.SparseFloatVector:
      return VECTORS.sparse;
    case DataType.Int8Vector:
      return VECTORS.int8;
  }
}

/** Vectors of `dim` dimensions; a view on the payload. */
export function* readDenseVectors(
  payload: Uint8Array,
  dataType: DenseVectorType,
  dim: number,
): Work<DenseVectorColumn> {
  const isFloat = dataType === DataType.FloatVector;
  const bytes = isFloat ? yield* packedContent(payload, LIST_DATA, 'fixed32') : payload;
  const rowBytes = denseVectorBytes(dataType, dim);
  assert(Number.isInteger(rowBytes) && rowBytes > 0, 'a schema has sensible dimensions');
  if (bytes.length % rowBytes !== 0) {
    const length = isFloat ? bytes.length / 4 : bytes.length;
    throw new WireError(
      `the length(${length}) of float data should divide the dim(${isFloat ? dim : rowBytes})`,
    );
  }
  return { dataType, length: bytes.length / rowBytes, validity: null, dim, bytes };
}

/** Sparse vectors, each row checked. */
export function* readSparseVectors(message: Uint8Array): Work<SparseVectorColumn> {
  const rows = yield* readByteList(message);
  yield* checkSparseRows(rows);
  return {
    dataType: DataType.SparseFloatVector,
    length: rows.offsets.length - 1,
    validity: null,
    ...rows,
  };
}

/** Reads a VectorArray: in each row any number of vectors of `dim` dimensions, side by side. */
export function* readVectorArrays(
  message: Uint8Array,
  elementType: DenseVectorType,
  dim: number,
): Work<VectorArrayColumn> {
  const rowTag = tagOf(VECTOR_ARRAY.data, WIRE_TYPE.bytes);
  const rows: Uint8Array[] = [];
  for (const cursor = new WireCursor(message); !cursor.isAtEnd; ) {
    const tag = cursor.uint32();
    if (tag === rowTag) rows.push(yield* readRowVectors(cursor.view(), rows.length, elementType, dim));
    else if (tag === tagOf(VECTOR_ARRAY.dim, WIRE_TYPE.varint)) checkDim(cursor.int64(), dim);
    else cursor.skip(tag);
    if (rows.length % SLICE_ROWS === 0) yield;
  }
  const offsets = new Uint32Array(rows.length + 1);
  const size = denseVectorBytes(elementType, dim);
  for (const [row, bytes] of rows.entries()) offsets[row + 1] = offsets[row]! + bytes.length / size;
  const length = offsets[rows.length]!;
  const bytes = new Uint8Array(length * size);
  for (const [row, vectors] of rows.entries()) {
    bytes.set(vectors, offsets[row]! * size);
    if (row % SLICE_ROWS === 0) yield;
  }
  const elements: DenseVectorColumn = { dataType: elementType, dim, length, validity: null, bytes };
  return { dataType: DataType.ArrayOfVector, length: rows.length, validity: null, offsets, elements };
}

function* readRowVectors(
  message: Uint8Array,
  row: number,
  elementType: DenseVectorType,
  dim: number,
): Work<Uint8Array> {
  const sent = yield* readSlot(message, 'vectors');
  checkDim(sent.dim, dim);
  if (sent.slot === 0) return NO_VECTORS;
  if (sent.slot !== vectorSlot(elementType))
    throw new WireError(`row ${row} is not an array of ${dataTypeName(elementType)}`);
  const vectors = yield* readDenseVectors(sent.payload, elementType, dim);
  return vectors.bytes;
}

/** Clients may leave it out. */
function checkDim(sent: bigint, dim: number): void {
  if (sent === 0n || sent === BigInt(dim)) return;
  throw new WireError(`vectors of dim ${sent} for a field of dim ${dim}`);
}

const NO_VECTORS = new Uint8Array(0);

function* checkSparseRows({ offsets, bytes }: ByteList): Work<void> {
  let pause = SLICE_BYTES;
  for (let row = 0; row < offsets.length - 1; row++) {
    const end = offsets[row + 1]!;
    checkSparseVector(bytes.subarray(offsets[row], end), `row ${row}`);
    if (end > pause || row % SLICE_ROWS === SLICE_ROWS - 1) {
      pause = end + SLICE_BYTES;
      yield;
    }
  }
}
