import type { Work } from '@elanus/functions';

export { runAtOnce, runInSlices, type Work } from '@elanus/functions';

/** Rows that a plain loop passes in about half a millisecond. */
export const SLICE_ROWS = 128 * 1024;

/** Calls `step` for one stretch of rows after the other and yields between them. */
export function* inSlices(length: number, step: (begin: number, end: number) => void): Work<void> {
  for (let begin = 0; begin < length; begin += SLICE_ROWS) {
    if (begin > 0) yield;
    step(begin, Math.min(length, begin + SLICE_ROWS));
  }
}
