import type { IndexHits } from '@elanus/kernel';
import { type HitList, orderTies } from '../hit-list.ts';
import type { RowOrder } from '../key-order.ts';
import { type Read, takeTurns } from '../read.ts';
import type { IndexedPiece } from './indexed-piece.ts';

/** Hits whose places are looked up between two looks at the clock. */
const HITS_PER_TURN = 4096;

/** Where the best `limit` hits of each query are among the read's views, equal scores by key. The kernel's hits are used up. */
export async function hitsInChunks(
  read: Read,
  { counts, rows, scores }: IndexHits,
  { stride, limit }: { readonly stride: number; readonly limit: number },
  {
    piece,
    viewOfRun,
    order,
  }: { readonly piece: IndexedPiece; readonly viewOfRun: Uint32Array; readonly order: RowOrder },
): Promise<HitList> {
  const list = { counts, stride, viewOf: new Uint32Array(rows.length), rows, scores };
  for (let query = 0, done = 0; query < counts.length; query++) {
    if (done >= HITS_PER_TURN) {
      await takeTurns(read);
      done = 0;
    }
    const start = query * stride;
    // Behind the limit only those that have the score of the last one matter: their keys decide.
    counts[query] = countWithTies(scores, start, counts[query]!, limit);
    for (let i = start; i < start + counts[query]!; i++) {
      const run = piece.runOf(rows[i]!);
      const { from, firstRow } = piece.runs[run]!;
      list.viewOf[i] = viewOfRun[run]!;
      list.rows[i] = rows[i]! - firstRow + from;
    }
    orderTies(list, query, order);
    done += counts[query]!;
    counts[query] = Math.min(counts[query]!, limit);
  }
  return list;
}

/** Of `count` scores from `start` on the first `limit`, and those behind that are equal to the last of them. */
function countWithTies(scores: Float32Array, start: number, count: number, limit: number): number {
  let kept = Math.min(limit, count);
  while (kept < count && scores[start + kept] === scores[start + limit - 1]) kept += 1;
  return kept;
}
