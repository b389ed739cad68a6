import { type Column, DataType, denseVectorBytes, unreachable } from '@elanus/model';
import { inSlices, type Work } from './sliced-work.ts';

/** Bytes that are copied in well under a millisecond. */
const SLICE_BYTES = 512 * 1024;

/**
 * Gives each value of `column`, which has none for null rows, its row: row i has the next value when
 * `validity[i]` is 1, else zero (empty). Values of variable length are not moved.
 */
export function* spreadRows(column: Column, validity: Uint8Array): Work<Column> {
  const length = validity.length;
  const base = { length, validity };
  switch (column.dataType) {
    case DataType.VarChar:
    case DataType.JSON:
    case DataType.Geometry:
    case DataType.Text:
    case DataType.SparseFloatVector:
    case DataType.Array:
    case DataType.ArrayOfVector:
      return { ...column, ...base, offsets: yield* spreadOffsets(column.offsets, validity) };
    case DataType.FloatVector:
    case DataType.BinaryVector:
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
    case DataType.Int8Vector: {
      const rowBytes = denseVectorBytes(column.dataType, column.dim);
      return { ...column, ...base, bytes: yield* spreadRuns(column.bytes, rowBytes, validity) };
    }
    case DataType.Bool:
      return { ...column, ...base, values: yield* spread(column.values, validity, new Uint8Array(length)) };
    case DataType.Int8:
      return { ...column, ...base, values: yield* spread(column.values, validity, new Int8Array(length)) };
    case DataType.Int16:
      return { ...column, ...base, values: yield* spread(column.values, validity, new Int16Array(length)) };
    case DataType.Int32:
      return { ...column, ...base, values: yield* spread(column.values, validity, new Int32Array(length)) };
    case DataType.Float:
      return { ...column, ...base, values: yield* spread(column.values, validity, new Float32Array(length)) };
    case DataType.Double:
      return { ...column, ...base, values: yield* spread(column.values, validity, new Float64Array(length)) };
    case DataType.Int64:
    case DataType.Timestamptz: {
      const values = new BigInt64Array(length);
      let next = 0;
      yield* inSlices(length, (begin, end) => {
        for (let row = begin; row < end; row++) if (validity[row] === 1) values[row] = column.values[next++]!;
      });
      return { ...column, ...base, values };
    }
    default:
      return unreachable(column);
  }
}

type Numbers = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

function* spread<Values extends Numbers>(from: Values, validity: Uint8Array, to: Values): Work<Values> {
  let next = 0;
  yield* inSlices(validity.length, (begin, end) => {
    for (let row = begin; row < end; row++) if (validity[row] === 1) to[row] = from[next++]!;
  });
  return to;
}

function* spreadOffsets(offsets: Uint32Array, validity: Uint8Array): Work<Uint32Array> {
  const wide = new Uint32Array(validity.length + 1);
  wide[0] = offsets[0]!;
  let next = 0;
  yield* inSlices(validity.length, (begin, end) => {
    for (let row = begin; row < end; row++) {
      next += validity[row]!;
      wide[row + 1] = offsets[next]!;
    }
  });
  return wide;
}

function* spreadRuns(bytes: Uint8Array, rowBytes: number, validity: Uint8Array): Work<Uint8Array> {
  const wide = new Uint8Array(validity.length * rowBytes);
  let copied = 0;
  for (let row = 0, next = 0; row < validity.length; row++) {
    if (validity[row] === 0) continue;
    wide.set(bytes.subarray(next * rowBytes, (next + 1) * rowBytes), row * rowBytes);
    next += 1;
    copied += rowBytes + 64;
    if (copied > SLICE_BYTES) {
      copied = 0;
      yield;
    }
  }
  return wide;
}
