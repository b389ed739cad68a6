import type { LoopShare } from '@elanus/runtime';

/**
 * Work that may take long: it yields several times a millisecond, and whoever runs it decides whether others get
 * their turn there. A generator costs next to nothing when it is run to its end at once.
 */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Runs work to its end without a pause. For work that is known to be short, and for threads of their own. */
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
