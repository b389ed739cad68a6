import {
  type Column,
  DataType,
  type DenseVectorColumn,
  denseVectorBytes,
  type ElementColumn,
  type NumericColumn,
  unreachable,
} from '@elanus/model';
import { inSlices, type Work } from './sliced-work.ts';

/** Bytes that are copied in well under a millisecond. */
const SLICE_BYTES = 512 * 1024;
const SLICE_ROWS = 16 * 1024;

/** The rows of `column` at `positions`, in that order, in memory of their own. */
export function* gatherRows<Kind extends Column>(column: Kind, positions: Uint32Array): Work<Kind> {
  return (yield* gather(column, positions)) as Kind;
}

function* gather(column: Column, positions: Uint32Array): Work<Column> {
  const length = positions.length;
  const validity = column.validity && (yield* gatherBytes(column.validity, positions));
  switch (column.dataType) {
    case DataType.VarChar:
    case DataType.JSON:
    case DataType.Geometry:
    case DataType.Text:
    case DataType.SparseFloatVector: {
      const texts = yield* gatherByteRuns(column.offsets, column.bytes, positions);
      return { ...column, length, validity, ...texts };
    }
    case DataType.Array: {
      const { offsets, elementPositions } = yield* expandRuns(column.offsets, positions);
      const elements = yield* gatherRows<ElementColumn>(column.elements, elementPositions);
      return { ...column, length, validity, offsets, elements };
    }
    case DataType.ArrayOfVector: {
      const { offsets, elementPositions } = yield* expandRuns(column.offsets, positions);
      const elements = yield* gatherRows<DenseVectorColumn>(column.elements, elementPositions);
      return { ...column, length, validity, offsets, elements };
    }
    case DataType.FloatVector:
    case DataType.BinaryVector:
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
    case DataType.Int8Vector: {
      const rowBytes = denseVectorBytes(column.dataType, column.dim);
      const bytes = yield* gatherFixedRuns(column.bytes, rowBytes, positions);
      return { ...column, length, validity, bytes };
    }
    default:
      return { ...(yield* gatherNumbers(column, positions)), validity };
  }
}

function* gatherNumbers(column: NumericColumn, positions: Uint32Array): Work<NumericColumn> {
  const length = positions.length;
  switch (column.dataType) {
    case DataType.Bool:
      return { ...column, length, values: yield* gatherBytes(column.values, positions) };
    case DataType.Int8:
      return { ...column, length, values: yield* copy(column.values, positions, new Int8Array(length)) };
    case DataType.Int16:
      return { ...column, length, values: yield* copy(column.values, positions, new Int16Array(length)) };
    case DataType.Int32:
      return { ...column, length, values: yield* copy(column.values, positions, new Int32Array(length)) };
    case DataType.Float:
      return { ...column, length, values: yield* copy(column.values, positions, new Float32Array(length)) };
    case DataType.Double:
      return { ...column, length, values: yield* copy(column.values, positions, new Float64Array(length)) };
    case DataType.Int64:
    case DataType.Timestamptz: {
      const values = new BigInt64Array(length);
      yield* inSlices(length, (begin, end) => {
        for (let i = begin; i < end; i++) values[i] = column.values[positions[i]!]!;
      });
      return { ...column, length, values };
    }
    default:
      return unreachable(column);
  }
}

type Numbers = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

function* copy<Values extends Numbers>(from: Values, positions: Uint32Array, to: Values): Work<Values> {
  yield* inSlices(positions.length, (begin, end) => {
    for (let i = begin; i < end; i++) to[i] = from[positions[i]!]!;
  });
  return to;
}

function gatherBytes(from: Uint8Array, positions: Uint32Array): Work<Uint8Array> {
  return copy(from, positions, new Uint8Array(positions.length));
}

function* gatherFixedRuns(bytes: Uint8Array, rowBytes: number, positions: Uint32Array): Work<Uint8Array> {
  const gathered = new Uint8Array(positions.length * rowBytes);
  let copied = 0;
  for (let i = 0; i < positions.length; i++) {
    const at = positions[i]! * rowBytes;
    gathered.set(bytes.subarray(at, at + rowBytes), i * rowBytes);
    copied += rowBytes + 64;
    if (copied > SLICE_BYTES) {
      copied = 0;
      yield;
    }
  }
  return gathered;
}

function* gatherByteRuns(
  offsets: Uint32Array,
  bytes: Uint8Array,
  positions: Uint32Array,
): Work<{ offsets: Uint32Array; bytes: Uint8Array }> {
  const gatheredOffsets = yield* gatherOffsets(offsets, positions);
  const gathered = new Uint8Array(gatheredOffsets[positions.length]!);
  let copied = 0;
  for (let i = 0; i < positions.length; i++) {
    const row = positions[i]!;
    gathered.set(bytes.subarray(offsets[row], offsets[row + 1]), gatheredOffsets[i]);
    copied += gatheredOffsets[i + 1]! - gatheredOffsets[i]! + 64;
    if (copied > SLICE_BYTES) {
      copied = 0;
      yield;
    }
  }
  return { offsets: gatheredOffsets, bytes: gathered };
}

/** Where the runs at `positions` begin and end when they lie side by side. */
function* gatherOffsets(offsets: Uint32Array, positions: Uint32Array): Work<Uint32Array> {
  const gathered = new Uint32Array(positions.length + 1);
  yield* inSlices(positions.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      const row = positions[i]!;
      gathered[i + 1] = gathered[i]! + offsets[row + 1]! - offsets[row]!;
    }
  });
  return gathered;
}

/** The positions of the elements of array rows at `positions`. */
function* expandRuns(
  offsets: Uint32Array,
  positions: Uint32Array,
): Work<{ offsets: Uint32Array; elementPositions: Uint32Array }> {
  const gatheredOffsets = yield* gatherOffsets(offsets, positions);
  const elementPositions = new Uint32Array(gatheredOffsets[positions.length]!);
  let count = 0;
  for (let i = 0; i < positions.length; i++) {
    const row = positions[i]!;
    for (let element = offsets[row]!; element < offsets[row + 1]!; element++)
      elementPositions[count++] = element;
    if (i % SLICE_ROWS === SLICE_ROWS - 1) yield;
  }
  return { offsets: gatheredOffsets, elementPositions };
}
