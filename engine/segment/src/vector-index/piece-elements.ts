import { assert, DataType, type VectorArrayColumn } from '@elanus/model';
import { firstAtLeast } from '../first-at-least.ts';
import type { PieceVectors } from './piece-vectors.ts';

/**
 * Of an index over the vectors in lists: row r of the piece has the vectors `starts[r] .. starts[r + 1]` of the index. `null`
 * where each row is a vector. The piece's chunks are open.
 */
export function elementStarts({ runs, field }: Pick<PieceVectors, 'runs' | 'field'>): Uint32Array | null {
  if (field.dataType !== DataType.ArrayOfVector) return null;
  const starts = new Uint32Array(runs.reduce((sum, { from, to }) => sum + to - from, 1));
  let row = 0;
  for (const { chunk, from, to } of runs) {
    const { offsets } = listsOf(chunk.column(field.id));
    for (let at = from; at < to; at++, row++)
      starts[row + 1] = starts[row]! + offsets[at + 1]! - offsets[at]!;
  }
  return starts;
}

/** A column of lists of vectors. */
export function listsOf(column: { readonly dataType: DataType }): VectorArrayColumn {
  assert(column.dataType === DataType.ArrayOfVector, 'a field of lists has a column of lists');
  return column as VectorArrayColumn;
}

/** The row that a vector of the index is in: the last that begins with it or before, for rows before may be empty. */
export function rowOfElement(starts: Uint32Array, element: number): number {
  return firstAtLeast(starts, element + 1, 1, starts.length - 1) - 1;
}

/** Bits of all vectors of the rows that are allowed; `null`: of all. */
export function bitsOfElements(starts: Uint32Array, allowed: Uint8Array | null): Uint8Array | null {
  if (allowed === null) return null;
  const bits = new Uint8Array(Math.ceil(starts.at(-1)! / 8));
  for (let row = 0; row < starts.length - 1; row++) {
    const ofRow = allowed[row >> 3]! >> (row & 7);
    if (ofRow === 0) row |= 7;
    if ((ofRow & 1) === 0) continue;
    for (let at = starts[row]!; at < starts[row + 1]!; at++) bits[at >> 3]! |= 1 << (at & 7);
  }
  return bits;
}
