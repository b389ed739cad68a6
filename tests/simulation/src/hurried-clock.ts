import type { Clock } from '@elanus/runtime';

/** Time for simulations: sleepers wake after a few microtasks, so that a run needs no timers and repeats exactly. */
export class HurriedClock implements Clock {
  #nowMs = 1_700_000_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void> {
    for (let turns = 0; turns < 20; turns += 1) {
      options?.signal?.throwIfAborted();
      await null;
    }
    this.#nowMs += ms;
  }
}
