import type { Clock } from '@elanus/runtime';

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

/** After so long others get their turn. */
const TURN_MS_MAX = 2;

/** Runs work and lets the event loop turn whenever it has run for about two milliseconds. */
export async function runInSlices<Result>(
  work: Work<Result>,
  clock: Pick<Clock, 'monotonicMs'>,
): Promise<Result> {
  let beganMs = clock.monotonicMs();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (clock.monotonicMs() - beganMs < TURN_MS_MAX) continue;
    await new Promise<void>((resume) => setImmediate(resume));
    beganMs = clock.monotonicMs();
  }
}
