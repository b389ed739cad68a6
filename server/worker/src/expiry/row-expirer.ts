import { type ChannelName, isRowsChanged, type Timestamp } from '@elanus/model';
import type { Clock, Counter, Logger, LoopShare, Metrics } from '@elanus/runtime';
import { expiredKeys, type WriteRecord } from '@elanus/segment';
import { lookAgain } from '../look-again.ts';
import type { RecordsByChannel, ServedCollection } from '../served-collection.ts';
import type { ServedCollections } from '../served-collections.ts';
import { expiryOf } from './expiry-of.ts';

export interface RowExpirerOptions {
  readonly collections: ServedCollections;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly share: LoopShare;
  /**
   * Deletes keys and resolves to how many rows they had.
   * @throws MilvusError `rowsChanged`, and does nothing, when one of the rows is another one than at `since`
   */
  readonly remove: (
    collection: ServedCollection,
    records: RecordsByChannel,
    since: Timestamp,
  ) => Promise<number>;
}

/** A row is seen so much longer at most, as long as the machine keeps up. */
const LOOK_MS = 1000;
/** Rows of a shard that are deleted by one write. */
const ROWS_MAX = 10_000;

/**
 * Deletes rows that have had their time (`collection.ttl.seconds`, `ttl_field`). What it does is in the log like anybody's
 * deletions, so that indexes, counts and compactions need not know of it; a row that is written anew meanwhile stays.
 */
export class RowExpirer {
  readonly #options: RowExpirerOptions;
  readonly #rows: Counter;
  readonly #closing = new AbortController();
  #watching: Promise<void> | null = null;

  constructor(options: RowExpirerOptions) {
    this.#options = options;
    this.#rows = options.metrics.counter(
      'elanus_expired_rows_total',
      'Rows that were deleted because they had had their time',
      [],
    );
    options.collections.watch((collection) => this.#hold(collection));
  }

  /** Looks at all collections again and again, until `close`. */
  start(): void {
    const { collections, clock } = this.#options;
    const look = async (collection: ServedCollection) => {
      if (collection.isServing) await this.#sweep(collection);
    };
    this.#watching = lookAgain(look, { collections, clock, everyMs: LOOK_MS, signal: this.#closing.signal });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the worker closes'));
    await this.#watching;
  }

  /** Who reads after a start sees no rows that have had their time meanwhile. */
  #hold(collection: ServedCollection): void {
    if (expiryOf(collection.info, this.#options.clock.nowMs()) === null) return;
    collection.holdFor(this.#sweepOnceBack(collection));
  }

  async #sweepOnceBack(collection: ServedCollection): Promise<void> {
    // Whoever adds a collection begins its replay in the same tick.
    await Promise.resolve();
    await collection.replayed();
    await this.#sweep(collection);
  }

  /** Deletes what has had its time by now. What fails is tried again at the next look. */
  async #sweep(collection: ServedCollection): Promise<void> {
    const { signal } = this.#closing;
    try {
      while (!signal.aborted && (await this.#deleteSome(collection)));
    } catch (error) {
      if (signal.aborted || isRowsChanged(error) || !collection.isServing) return;
      const { id } = collection.info;
      this.#options.logger.warn({ collection: String(id), err: error }, 'expired rows could not be deleted');
    }
  }

  async #deleteSome(collection: ServedCollection): Promise<boolean> {
    const { clock, share, remove } = this.#options;
    const { info, shardsByChannel, appliedTimestamp } = collection;
    const expiry = expiryOf(info, clock.nowMs());
    if (expiry === null) return false;
    const options = { schema: info.schema, expiry, rowsMax: ROWS_MAX, share, signal: this.#closing.signal };
    const records = new Map<ChannelName, WriteRecord>();
    for (const [channel, shard] of shardsByChannel) {
      const keys = await expiredKeys(shard, options);
      if (keys.length === 0) continue;
      records.set(channel, {
        kind: 'delete',
        duplicates: 'replace',
        parts: [{ partitionIds: null, keys }],
      });
    }
    if (records.size === 0) return false;
    this.#rows.inc({}, await remove(collection, records, appliedTimestamp));
    return true;
  }
}
