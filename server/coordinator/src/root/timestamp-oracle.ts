import type { MetaStore } from '@elanus/meta-store';
import { assert, composeTimestamp, physicalMs, serviceNotReady, type Timestamp } from '@elanus/model';
import { type Clock, type Logger, silentLogger, type TimestampSource } from '@elanus/runtime';
import { TIMESTAMP_WINDOW_KEY } from '../catalog/catalog-keys.ts';
import { readReservedEnd, reserveUpTo } from './reserved-end.ts';

/** How far ahead of the clock timestamps are reserved, and so how far ahead a restart may begin. */
const WINDOW_MS = 15_000;
/** The window is moved on when less than this is left of it. */
const WINDOW_LEFT_MS_MIN = 10_000;
/** How often an idle oracle looks whether the window has to move. */
const EXTEND_INTERVAL_MS = 2_000;
/** The end of the window that is kept for counting, without regard to the clock: 262 million timestamps. */
const WINDOW_RESERVE_MS = 1_000;

export interface TimestampOracleOptions {
  readonly store: MetaStore;
  readonly clock: Clock;
  readonly logger?: Logger;
}

/**
 * Hands out hybrid timestamps that grow strictly, whatever the clock does and across restarts: every
 * one of them is below an end that the meta store holds, and the next start begins at that end.
 *
 * The end moves on in the background, long before it is reached. When the store does not keep up (or
 * the clock leaps ahead), `next` stops following the clock one second before the end and counts on
 * within that second: timestamps fall behind the clock but still grow. Only when those 262 million are
 * used up too does it refuse, with "service not ready", which clients retry.
 */
export class TimestampOracle implements TimestampSource {
  readonly #store: MetaStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  #last: Timestamp;
  /** Durable: no timestamp at or above it was or will be handed out before it moves. */
  #end: Timestamp;
  /** Moves of the end follow each other, so that the stored one never steps back. */
  #lastMove: Promise<void> = Promise.resolve();
  #movingSoon = false;
  #keepingUp: Promise<void> = Promise.resolve();

  private constructor(options: TimestampOracleOptions, last: Timestamp) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
    this.#last = last;
    this.#end = last;
  }

  /** Ready to hand out timestamps above all that any earlier oracle on `store` handed out. */
  static async open(options: TimestampOracleOptions): Promise<TimestampOracle> {
    const floor = composeTimestamp(options.clock.nowMs());
    const logger = options.logger ?? silentLogger;
    const last = await readReservedEnd(options.store, TIMESTAMP_WINDOW_KEY, { floor, logger });
    const oracle = new TimestampOracle(options, last as Timestamp);
    await oracle.#moveEnd();
    oracle.#keepingUp = oracle.#keepUp();
    return oracle;
  }

  /** @throws MilvusError 1 (retriable) when the store has not moved the window for too long */
  next(): Timestamp {
    const clockMs = this.#clock.nowMs();
    const followedMs = Math.min(clockMs, physicalMs(this.#end) - WINDOW_RESERVE_MS);
    const byClock = composeTimestamp(followedMs);
    const byCount = (this.#last + 1n) as Timestamp;
    const next = byClock > byCount ? byClock : byCount;
    if (physicalMs(this.#end) - Math.max(clockMs, physicalMs(next)) < WINDOW_LEFT_MS_MIN) this.#extendSoon();
    if (next >= this.#end) throw serviceNotReady('no timestamps: the meta store does not answer');
    assert(next > this.#last, 'timestamps grow');
    this.#last = next;
    return next;
  }

  /** Makes every later timestamp larger than `floor`, for example the newest one found in the logs. */
  async raiseTo(floor: Timestamp): Promise<void> {
    if (floor <= this.#last) return;
    this.#last = floor;
    await this.#moveEnd();
  }

  /** Stops the background work and gives back what is left of the window. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#keepingUp;
    await this.#lastMove.catch(() => {});
    this.#end = (this.#last + 1n) as Timestamp;
    await this.#store.commit([reserveUpTo(TIMESTAMP_WINDOW_KEY, this.#end)]);
  }

  async #keepUp(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const left = physicalMs(this.#end) - Math.max(this.#clock.nowMs(), physicalMs(this.#last));
      if (left < WINDOW_LEFT_MS_MIN) this.#extendSoon();
      await this.#clock.sleep(EXTEND_INTERVAL_MS, { signal }).catch(() => {});
    }
  }

  #extendSoon(): void {
    if (this.#movingSoon || this.#stop.signal.aborted) return;
    this.#movingSoon = true;
    this.#moveEnd()
      .catch((error: unknown) => this.#logger.error({ err: error }, 'timestamps could not be reserved'))
      .finally(() => {
        this.#movingSoon = false;
      });
  }

  async #moveEnd(): Promise<void> {
    const move = async (): Promise<void> => {
      const fromMs = Math.max(this.#clock.nowMs(), physicalMs(this.#last) + 1);
      const end = composeTimestamp(fromMs + WINDOW_MS);
      if (end <= this.#end) return;
      await this.#store.commit([reserveUpTo(TIMESTAMP_WINDOW_KEY, end)]);
      this.#end = end;
    };
    const moved = this.#lastMove.then(move, move);
    this.#lastMove = moved;
    await moved;
  }
}
