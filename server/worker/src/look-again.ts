import type { Clock } from '@elanus/runtime';
import type { ServedCollection } from './served-collection.ts';
import type { ServedCollections } from './served-collections.ts';

export interface LookAgainOptions {
  readonly collections: ServedCollections;
  readonly clock: Clock;
  /** From the end of one look to the next. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Looks at all collections again and again, one after the other. Resolves when the signal is aborted. */
export async function lookAgain(
  look: (collection: ServedCollection) => Promise<void> | void,
  { collections, clock, everyMs, signal }: LookAgainOptions,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, { signal }).catch(() => {});
    for (const collection of collections.all()) await look(collection);
  }
}
