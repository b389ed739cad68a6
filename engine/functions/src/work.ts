/** Work that may take long: it yields about once a millisecond, and whoever runs it decides whether others get their turn. */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Runs work to its end without a pause. */
export function runAtOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
