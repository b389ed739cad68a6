import { assert } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';

/**
 * Work that may take long: it yields several times a millisecond, and whoever runs it decides whether others get
 * their turn there. A generator costs next to nothing when it is run to its end at once. Work that yields a promise goes
 * on when that is settled.
 */
export type Work<Result> = Generator<Promise<unknown> | undefined, Result, undefined>;

/** Waits for a promise. @throws what it is rejected with */
export function* waiting<Result>(promise: Promise<Result>): Work<Result> {
  let outcome: PromiseSettledResult<Result> | undefined;
  yield Promise.allSettled([promise]).then(([settled]) => {
    outcome = settled;
  });
  assert(outcome !== undefined, 'whoever runs work waits for the promises that it yields');
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/**
 * Runs work that waits for nothing to its end without a pause. For work that is known to be short, and for threads of
 * their own.
 */
export function runAtOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    assert(step.value === undefined, 'work that waits is not run at once');
  }
}

/**
 * Runs work and lets the event loop turn whenever this turn's share is used up, also before it begins: eight
 * requests that arrive together would otherwise be handled at one stretch. Work that waits ends when the signal is aborted.
 * @throws what the work throws, and the signal's reason
 */
export async function runInSlices<Result>(
  work: Work<Result>,
  share: Pick<LoopShare, 'isSpent' | 'nextTurn'>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Result> {
  for (;;) {
    if (share.isSpent()) await share.nextTurn();
    const step = work.next();
    if (step.done) return step.value;
    if (step.value === undefined) continue;
    await step.value;
    options.signal?.throwIfAborted();
  }
}
