import type { MetaStore } from '@elanus/meta-store';
import { assert, composeTimestamp, LOGICAL_COUNT } from '@elanus/model';
import { type Clock, type Logger, silentLogger } from '@elanus/runtime';
import { ID_WINDOW_KEY } from '../catalog/catalog-keys.ts';
import { readReservedEnd, reserveUpTo } from './reserved-end.ts';

/** Ids that one transaction reserves beyond those asked for: one second's worth of timestamps. */
const WINDOW_COUNT = LOGICAL_COUNT * 1_000n;

/** Int64 ids that nobody has: they grow, begin near the hybrid timestamp of the first start, and leave gaps. */
export class IdAllocator {
  readonly #store: MetaStore;
  #next: bigint;
  /** Durable: no id at or above it was handed out. */
  #end: bigint;
  /** The last move of the end: moves follow each other. */
  #reservation: Promise<void> = Promise.resolve();

  private constructor(store: MetaStore, next: bigint) {
    this.#store = store;
    this.#next = next;
    this.#end = next;
  }

  /** Ready to hand out ids above all that any earlier allocator on `store` handed out. */
  static async open(options: {
    readonly store: MetaStore;
    readonly clock: Clock;
    readonly logger?: Logger;
  }): Promise<IdAllocator> {
    const floor = composeTimestamp(options.clock.nowMs());
    const logger = options.logger ?? silentLogger;
    return new IdAllocator(
      options.store,
      await readReservedEnd(options.store, ID_WINDOW_KEY, { floor, logger }),
    );
  }

  /** The first of `count` ids in a row. Requires `count` to be a positive safe integer. */
  async allocate(count: number): Promise<bigint> {
    assert(Number.isSafeInteger(count) && count > 0, `a count of ids is positive, not ${count}`);
    while (this.#next + BigInt(count) > this.#end) await this.#reserve(BigInt(count));
    const first = this.#next;
    this.#next += BigInt(count);
    return first;
  }

  /** Moves the end so that `count` more ids fit at the time of the move. */
  async #reserve(count: bigint): Promise<void> {
    const move = async (): Promise<void> => {
      if (this.#next + count <= this.#end) return;
      const end = this.#next + count + WINDOW_COUNT;
      await this.#store.commit([reserveUpTo(ID_WINDOW_KEY, end)]);
      this.#end = end;
    };
    const reservation = this.#reservation.then(move, move);
    this.#reservation = reservation;
    await reservation;
  }
}
