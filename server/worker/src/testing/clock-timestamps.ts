import { composeTimestamp, type Timestamp } from '@elanus/model';
import type { Clock, TimestampSource } from '@elanus/runtime';

/** Timestamps of the clock's time, ascending. */
export class ClockTimestamps implements TimestampSource {
  readonly #clock: Clock;
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): Timestamp {
    const now = composeTimestamp(this.#clock.nowMs());
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last as Timestamp;
  }
}
