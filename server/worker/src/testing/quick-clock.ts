import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@elanus/runtime';

/** Time that passes while others wait for it: who sleeps wakes in the next turn of the event loop. */
export class QuickClock implements Clock {
  #nowMs = 1_700_000_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void> {
    options?.signal?.throwIfAborted();
    await turn();
    options?.signal?.throwIfAborted();
    this.#nowMs += ms;
  }
}
