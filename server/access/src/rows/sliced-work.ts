/**
 * Work that may take long: it yields about once a millisecond, and whoever runs it decides whether others get
 * their turn there. A generator costs next to nothing when it is run to its end at once.
 */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Runs work to its end without a pause. For work that is known to be short. */
export function runAtOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Runs work and lets the event loop turn at each yield. */
export async function runInSlices<Result>(work: Work<Result>): Promise<Result> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await new Promise<void>((resume) => setImmediate(resume));
  }
}
