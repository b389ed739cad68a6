import { byteCosts, type Condition } from '@elanus/expr';
import type { FieldId, VarCharColumn } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { ChunkView } from '../shard.ts';

/** Bytes of a text that is as short as filters expect. */
const SHORT_BYTES = 64;

/** What a filter takes for long texts and documents, in nanoseconds: beside what it takes for any row. */
export class TextCosts {
  readonly #perByte: ReadonlyMap<FieldId, number>;

  constructor(condition: Condition) {
    this.#perByte = byteCosts(condition);
  }

  /** Of the rows `start .. end` of a chunk. */
  of(chunk: Chunk, start: number, end: number): number {
    let cost = 0;
    for (const [id, perByte] of this.#perByte) {
      const { offsets } = chunk.column(id) as VarCharColumn;
      cost += perByte * Math.max(0, offsets[end]! - offsets[start]! - SHORT_BYTES * (end - start));
    }
    return cost;
  }

  /** Of all rows of some views. */
  ofAll(views: readonly ChunkView[]): number {
    return views.reduce((sum, { chunk, rows }) => sum + this.of(chunk, 0, rows), 0);
  }
}

/** What a piece of rows may cost between two looks at the clock. */
const PIECE_NS = 1_000_000;

/** How many rows to test at a time, a multiple of 8, no more than `most`, when all of a view's cost so much together. */
export function rowsOfPiece({ rows }: ChunkView, cost: number, most: number): number {
  let step = most;
  while (step > 8 && step * cost > PIECE_NS * rows) step /= 2;
  return step;
}
