import type { Clock } from './clock.ts';

/** Work of one turn of the event loop, all readers and writers together. */
const TURN_MS_MAX = 2;

interface Waiter {
  readonly resume: () => void;
}

/**
 * Splits long work so that the event loop keeps turning: everybody who shares one `LoopShare` gets at
 * most about 2 ms together before sockets and timers have their turn. Work checks `isSpent` between
 * pieces of well under a millisecond and waits for `nextTurn` when it is.
 */
export class LoopShare {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #waiting: Waiter[] = [];
  #turnStartMs = 0;
  /** Whether the end of the current turn is being watched. */
  #watching = false;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Whether this turn's time is used up. The first call of a turn starts its clock. */
  isSpent(): boolean {
    if (!this.#watching) {
      this.#turnStartMs = this.#clock.monotonicMs();
      this.#watchTurn();
      return false;
    }
    return this.#clock.monotonicMs() - this.#turnStartMs > TURN_MS_MAX;
  }

  /**
   * Resolves in a later turn of the loop, one waiter a turn, first come first served.
   * @throws the signal's reason when it has aborted by then
   */
  async nextTurn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resume) => {
      this.#waiting.push({ resume });
      this.#watchTurn();
    });
    signal?.throwIfAborted();
  }

  #watchTurn(): void {
    if (this.#watching) return;
    this.#watching = true;
    setImmediate(() => {
      this.#watching = false;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#turnStartMs = this.#clock.monotonicMs();
      this.#watchTurn();
      next.resume();
    });
  }
}
