import type { LoopShare } from '@elanus/runtime';
import type { Chunk } from '../chunk.ts';

/** Rows `start .. end` of a chunk. */
export interface RowRun {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

/** Rows of a chunk, whose times rise. */
export interface RunSource {
  readonly chunk: Chunk;
  readonly timestamps: BigInt64Array;
  /** A byte a row, 1 for those that are wanted. */
  readonly kept: Uint8Array;
}

/** Rows looked at between two looks at the clock. */
const STRETCH_ROWS = 16_384;

/** The wanted rows of all sources in the order in which they were written; of one time those of the earlier source first. */
export async function mergeRuns(sources: readonly RunSource[], share: LoopShare): Promise<readonly RowRun[]> {
  const runs: RowRun[] = [];
  const open = sources
    .filter(({ timestamps }) => timestamps.length > 0)
    .map((source) => ({ ...source, next: 0 }));
  while (open.length > 0) {
    // Files follow each other in time, but for those that compactions have made: there is mostly one to take from.
    const first = open.reduce((best, one) => (timeOf(one) < timeOf(best) ? one : best));
    const others = open.filter((one) => one !== first);
    const limit = others.reduce<bigint | null>(
      (least, one) => (least === null || timeOf(one) < least ? timeOf(one) : least),
      null,
    );
    const end = limit === null ? first.timestamps.length : firstAfter(first.timestamps, first.next, limit);
    for (let from = first.next; from < end; from += STRETCH_ROWS) {
      if (share.isSpent()) await share.nextTurn();
      addRuns(runs, first, from, Math.min(end, from + STRETCH_ROWS));
    }
    first.next = end;
    if (end === first.timestamps.length) open.splice(open.indexOf(first), 1);
  }
  return runs;
}

function timeOf({ timestamps, next }: { readonly timestamps: BigInt64Array; readonly next: number }): bigint {
  return timestamps[next]!;
}

/** The first row from `from` on that was written after `time`. */
function firstAfter(timestamps: BigInt64Array, from: number, time: bigint): number {
  let low = from;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addRuns(runs: RowRun[], { chunk, kept }: RunSource, from: number, to: number): void {
  for (let row = from; row < to; ) {
    const start = kept.indexOf(1, row);
    if (start === -1 || start >= to) return;
    const gap = kept.indexOf(0, start);
    const end = gap === -1 ? to : Math.min(gap, to);
    const last = runs.at(-1);
    if (last?.chunk === chunk && last.end === start)
      runs[runs.length - 1] = { chunk, start: last.start, end };
    else runs.push({ chunk, start, end });
    row = end;
  }
}
