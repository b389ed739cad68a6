/**
 * Work that may take long: it yields several times a millisecond, and whoever runs it decides whether others get
 * their turn there.
 */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Values, or tokens, that are worked on between two yields: less than a millisecond of any such work. */
export const SLICE_ITEMS = 2_048;

/** Runs work to its end without a pause. */
export function runAtOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
