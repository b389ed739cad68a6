import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@elanus/runtime';

/** A clock for tests: what is slept passes at once, after the work that is under way had its turns. */
export class ImpatientClock implements Clock {
  #nowMs = 1_700_000_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    // As many turns as any call of a memory bucket takes, so that only what hangs is overtaken.
    for (let turns = 0; turns < 20; turns++) {
      signal?.throwIfAborted();
      await setImmediate();
    }
    signal?.throwIfAborted();
    this.#nowMs += ms;
  }
}
