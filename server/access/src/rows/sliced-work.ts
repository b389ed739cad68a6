import type { LoopShare } from '@elanus/runtime';

/**
 * Work that may take long: it yields several times a millisecond, and whoever runs it decides whether others get
 * their turn there. A generator costs next to nothing when it is run to its end at once.
 */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Rows that a plain loop passes in about half a millisecond. */
export const SLICE_ROWS = 128 * 1024;

/** Calls `step` for one stretch of rows after the other and yields between them. */
export function* inSlices(length: number, step: (begin: number, end: number) => void): Work<void> {
  for (let begin = 0; begin < length; begin += SLICE_ROWS) {
    if (begin > 0) yield;
    step(begin, Math.min(length, begin + SLICE_ROWS));
  }
}

/** Runs work to its end without a pause. For work that is known to be short. */
export function runAtOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/**
 * Runs work and lets the event loop turn whenever this turn's share is used up, also before it begins: eight
 * requests that arrive together would otherwise be handled at one stretch.
 */
export async function runInSlices<Result>(
  work: Work<Result>,
  share: Pick<LoopShare, 'isSpent' | 'nextTurn'>,
): Promise<Result> {
  for (;;) {
    if (share.isSpent()) await share.nextTurn();
    const step = work.next();
    if (step.done) return step.value;
  }
}
