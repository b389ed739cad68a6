import { type Column, DataType, denseVectorBytes, unreachable } from '@elanus/model';

/**
 * Gives each value of `column`, which has none for null rows, its row: row i has the next value when
 * `validity[i]` is 1, else zero (empty). Values of variable length are not moved.
 */
export function spreadRows(column: Column, validity: Uint8Array): Column {
  const length = validity.length;
  switch (column.dataType) {
    case DataType.VarChar:
    case DataType.JSON:
    case DataType.SparseFloatVector:
    case DataType.Array:
      return { ...column, length, validity, offsets: spreadOffsets(column.offsets, validity) };
    case DataType.FloatVector:
    case DataType.BinaryVector:
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
    case DataType.Int8Vector: {
      const rowBytes = denseVectorBytes(column.dataType, column.dim);
      return { ...column, length, validity, bytes: spreadRuns(column.bytes, rowBytes, validity) };
    }
    case DataType.Bool:
      return { ...column, length, validity, values: spread(column.values, validity, new Uint8Array(length)) };
    case DataType.Int8:
      return { ...column, length, validity, values: spread(column.values, validity, new Int8Array(length)) };
    case DataType.Int16:
      return { ...column, length, validity, values: spread(column.values, validity, new Int16Array(length)) };
    case DataType.Int32:
      return { ...column, length, validity, values: spread(column.values, validity, new Int32Array(length)) };
    case DataType.Float:
      return {
        ...column,
        length,
        validity,
        values: spread(column.values, validity, new Float32Array(length)),
      };
    case DataType.Double:
      return {
        ...column,
        length,
        validity,
        values: spread(column.values, validity, new Float64Array(length)),
      };
    case DataType.Int64: {
      const values = new BigInt64Array(length);
      for (let row = 0, next = 0; row < length; row++)
        if (validity[row] === 1) values[row] = column.values[next++]!;
      return { ...column, length, validity, values };
    }
    default:
      return unreachable(column);
  }
}

type Numbers = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

function spread<Array extends Numbers>(from: Array, validity: Uint8Array, to: Array): Array {
  for (let row = 0, next = 0; row < validity.length; row++) if (validity[row] === 1) to[row] = from[next++]!;
  return to;
}

function spreadOffsets(offsets: Uint32Array, validity: Uint8Array): Uint32Array {
  const spreaded = new Uint32Array(validity.length + 1);
  let next = 0;
  spreaded[0] = offsets[0]!;
  for (let row = 0; row < validity.length; row++) {
    if (validity[row] === 1) next += 1;
    spreaded[row + 1] = offsets[next]!;
  }
  return spreaded;
}

function spreadRuns(bytes: Uint8Array, rowBytes: number, validity: Uint8Array): Uint8Array {
  const spreaded = new Uint8Array(validity.length * rowBytes);
  for (let row = 0, next = 0; row < validity.length; row++) {
    if (validity[row] === 0) continue;
    spreaded.set(bytes.subarray(next * rowBytes, (next + 1) * rowBytes), row * rowBytes);
    next += 1;
  }
  return spreaded;
}
