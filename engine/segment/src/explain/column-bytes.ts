import { type Column, denseVectorBytes, type FieldSchema, isDenseVector } from '@elanus/model';
import type { Chunk } from '../chunk.ts';

/** Bytes of the first `rows` rows of a column, nulls and offsets included. */
export function bytesOfColumn(column: Column, rows: number): number {
  const nulls = column.validity === null ? 0 : rows;
  if ('values' in column) return nulls + rows * column.values.BYTES_PER_ELEMENT;
  if ('offsets' in column) {
    const { offsets } = column;
    const length = offsets[rows]! - offsets[0]!;
    const bytes = 'elements' in column ? bytesOfColumn(column.elements, length) : length;
    return nulls + 4 * (rows + 1) + bytes;
  }
  return nulls + Math.round((column.bytes.length * rows) / Math.max(1, column.length));
}

/**
 * What comparing one query with so many rows of a vector field reads: their codes where there are some, for those rule
 * nearly all rows out; else the vectors.
 */
export function bytesOfVectors(chunk: Chunk, { id, dataType, dim }: FieldSchema, rows: number): number {
  if (!isDenseVector(dataType) || dim === null) {
    const whole = bytesOfColumn(chunk.column(id), chunk.rows);
    return Math.round((whole * rows) / Math.max(1, chunk.rows));
  }
  const coded = Math.min(rows, chunk.codes(id)?.rows ?? 0);
  return coded * dim + (rows - coded) * denseVectorBytes(dataType, dim);
}
