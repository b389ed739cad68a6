import { instantFormatter } from '@elanus/expr';
import type { CellValue } from '@elanus/formats';
import { type Column, DataType, type DenseVectorColumn, denseVectorBytes, unreachable } from '@elanus/model';

const instantText = instantFormatter('UTC');

/** The values of a column as files hold them, by `vectors`: JSON's numbers, or the elements of lists in Parquet. */
export function cellsOf(column: Column, vectors: VectorForm): CellValue[] {
  const valueAt = readerOf(column, vectors);
  return Array.from({ length: column.length }, (_, row) =>
    column.validity?.[row] === 0 ? null : valueAt(row),
  );
}

/** What becomes of the 16-bit floats, which neither JSON nor Arrow's lists of Milvus have: numbers, or their bytes. */
export type VectorForm = 'numbers' | 'bytes';

type CellReader = (row: number) => CellValue;

function readerOf(column: Column, vectors: VectorForm): CellReader {
  if ('dim' in column) return vectorReader(column, vectors);
  const { dataType } = column;
  switch (dataType) {
    case DataType.Bool:
      return (row) => column.values[row] !== 0;
    case DataType.Timestamptz:
      return (row) => instantText(column.values[row]!);
    case DataType.Array:
    case DataType.ArrayOfVector: {
      const elementAt = readerOf(column.elements, vectors);
      return (row) => {
        const from = column.offsets[row]!;
        return Array.from({ length: column.offsets[row + 1]! - from }, (_, at) => elementAt(from + at));
      };
    }
    case DataType.VarChar:
    case DataType.Text:
    case DataType.JSON:
    case DataType.Geometry: {
      const { offsets } = column;
      const bytes = bufferOf(column.bytes);
      return (row) => bytes.toString('utf8', offsets[row], offsets[row + 1]);
    }
    case DataType.SparseFloatVector: {
      const { offsets } = column;
      const bytes = bufferOf(column.bytes);
      return (row) => {
        const entries: [string, number][] = [];
        for (let at = offsets[row]!; at < offsets[row + 1]!; at += 8)
          entries.push([String(bytes.readUInt32LE(at)), bytes.readFloatLE(at + 4)]);
        return Object.fromEntries(entries);
      };
    }
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
    case DataType.Int64:
    case DataType.Float:
    case DataType.Double:
      return (row) => column.values[row]!;
    default:
      return unreachable(dataType);
  }
}

function vectorReader({ dataType, dim, bytes, length }: DenseVectorColumn, form: VectorForm): CellReader {
  const size = denseVectorBytes(dataType, dim);
  // Elements lie at multiples of their size only in memory of their own.
  const own = Uint8Array.from(bytes.subarray(0, length * size));
  const elements = (numbers: ArrayLike<number>): CellReader => {
    const width = numbers.length / Math.max(1, length);
    return (row) => Array.from({ length: width }, (_, at) => numbers[row * width + at]!);
  };
  switch (dataType) {
    case DataType.FloatVector:
      return elements(new Float32Array(own.buffer));
    case DataType.Int8Vector:
      return elements(new Int8Array(own.buffer));
    case DataType.BinaryVector:
      return elements(own);
    case DataType.Float16Vector:
      return elements(form === 'bytes' ? own : new Float16Array(own.buffer));
    case DataType.BFloat16Vector:
      return elements(form === 'bytes' ? own : bfloat16Numbers(new Uint16Array(own.buffer)));
    default:
      return unreachable(dataType);
  }
}

function bfloat16Numbers(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
