import { assert, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';

interface Pending {
  /** `null`: no write, nobody waits for it by time. */
  readonly timestamp: Timestamp | null;
  /** Resolves whatever comes of it. */
  readonly settled: Promise<void>;
}

/** The writes of one collection, taken in strictly one after the other, in the order they were queued. */
export class ApplyQueue {
  readonly #pending: Pending[] = [];
  #newest: Timestamp = TIMESTAMP_MIN;
  #tail: Promise<void> = Promise.resolve();

  /** Runs `work` when all before it has settled, and settles as it does. Timestamps must grow. */
  push<Result>(timestamp: Timestamp | null, work: () => Promise<Result>): Promise<Result> {
    if (timestamp !== null) {
      assert(timestamp > this.#newest, 'writes are queued in the order of their timestamps');
      this.#newest = timestamp;
    }
    const result = this.#tail.then(work);
    const settled = result.then(
      () => this.#leave(),
      () => this.#leave(),
    );
    this.#tail = settled;
    this.#pending.push({ timestamp, settled });
    return result;
  }

  /** Resolves when every write queued by now with a timestamp up to this has settled; `null` when all have. */
  reached(timestamp: Timestamp): Promise<void> | null {
    for (let at = this.#pending.length - 1; at >= 0; at--) {
      const pending = this.#pending[at]!;
      if (pending.timestamp !== null && pending.timestamp <= timestamp) return pending.settled;
    }
    return null;
  }

  /** Resolves when all that is queued by now has settled. */
  drained(): Promise<void> {
    return this.#tail;
  }

  #leave(): void {
    this.#pending.shift();
  }
}
