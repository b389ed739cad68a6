import { invalidParameter, partitionNotFound, physicalMs, type Timestamp } from '@elanus/model';
import type { CollectionRef, DataCoordinator, FlushResult, StreamingWorker } from '@elanus/rpc';
import type { TimestampSource } from '@elanus/runtime';
import type { Catalog } from '../catalog/catalog.ts';

/**
 * Flush and row counts. An acknowledged write is durable and counted already, so a flush has nothing
 * to wait for: it seals no segment and answers with its own timestamp.
 */
export class CatalogDataCoordinator implements DataCoordinator {
  readonly #catalog: Catalog;
  readonly #streaming: StreamingWorker;
  readonly #timestamps: TimestampSource;

  constructor(options: {
    readonly catalog: Catalog;
    readonly streaming: StreamingWorker;
    readonly timestamps: TimestampSource;
  }) {
    this.#catalog = options.catalog;
    this.#streaming = options.streaming;
    this.#timestamps = options.timestamps;
  }

  async flush(refs: readonly CollectionRef[]): Promise<readonly FlushResult[]> {
    if (refs.length === 0) throw invalidParameter('collection names should not be empty');
    const collections = refs.map((ref) => this.#catalog.collection(ref));
    const flushTimestamp = this.#timestamps.next();
    const sealTimeSeconds = BigInt(Math.floor(physicalMs(flushTimestamp) / 1_000));
    return collections.map(({ id }) => ({
      collectionId: id,
      segmentIds: [],
      flushTimestamp,
      sealTimeSeconds,
    }));
  }

  async isFlushed(
    ref: CollectionRef | null,
    _segmentIds: readonly bigint[],
    _timestamp: Timestamp,
  ): Promise<boolean> {
    if (ref !== null) this.#catalog.collection(ref);
    return true;
  }

  async countRows(ref: CollectionRef, partition: string | null): Promise<bigint> {
    const collection = this.#catalog.collection(ref);
    const wanted =
      partition === null
        ? collection.partitions
        : collection.partitions.filter(({ name }) => name === partition);
    if (partition !== null && wanted.length === 0) throw partitionNotFound(partition);
    const counts = await this.#streaming.countRows(collection.id);
    return wanted.reduce((sum, { id }) => sum + (counts.get(id) ?? 0n), 0n);
  }
}
