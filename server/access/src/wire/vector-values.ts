import {
  assert,
  DataType,
  type DenseVectorColumn,
  type DenseVectorType,
  denseVectorBytes,
  type SparseVectorColumn,
  type VectorType,
} from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';
import { type ByteList, readByteList } from './byte-lists.ts';
import { LIST_DATA, VECTORS } from './field-data-format.ts';
import { packedContent } from './packed.ts';
import { checkSparseVector } from './vector-checks.ts';
import { WireError } from './wire-cursor.ts';

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
