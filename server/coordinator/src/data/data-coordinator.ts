import {
  invalidParameter,
  MilvusError,
  partitionNotFound,
  physicalMs,
  type SegmentId,
  type Timestamp,
} from '@elanus/model';
import type {
  CollectionRef,
  CompactionReport,
  CompactionTicket,
  CompactOptions,
  DataCoordinator,
  FlushResult,
  SegmentCatalog,
  ServedSegments,
  StoredSegments,
  StreamingWorker,
} from '@elanus/rpc';
import type { TimestampSource } from '@elanus/runtime';
import type { Catalog } from '../catalog/catalog.ts';

/** Flush, compaction and row counts. A write is durable and counted when it is acknowledged: flush only moves it to files. */
export class CatalogDataCoordinator implements DataCoordinator {
  readonly #catalog: Catalog;
  readonly #streaming: StreamingWorker;
  readonly #timestamps: TimestampSource;
  readonly #segments: SegmentCatalog;

  constructor(options: {
    readonly catalog: Catalog;
    readonly streaming: StreamingWorker;
    readonly timestamps: TimestampSource;
    readonly segments: SegmentCatalog;
  }) {
    this.#catalog = options.catalog;
    this.#streaming = options.streaming;
    this.#timestamps = options.timestamps;
    this.#segments = options.segments;
  }

  async flush(refs: readonly CollectionRef[]): Promise<readonly FlushResult[]> {
    if (refs.length === 0) throw invalidParameter('collection names should not be empty');
    const collections = refs.map((ref) => this.#catalog.collection(ref));
    return await Promise.all(
      collections.map(async ({ id }) => {
        const { segmentIds, timestamp } = await this.#streaming.flush(id);
        const sealTimeSeconds = BigInt(Math.floor(physicalMs(timestamp) / 1_000));
        return { collectionId: id, segmentIds, flushTimestamp: timestamp, sealTimeSeconds };
      }),
    );
  }

  async flushAll(): Promise<Timestamp> {
    const begun = await Promise.allSettled(
      this.#catalog.collections().map(({ id }) => this.#streaming.flush(id)),
    );
    // A collection that was dropped meanwhile or is not served has nothing that a flush could move.
    const isOurs = (error: unknown): boolean => !(error instanceof MilvusError);
    for (const outcome of begun)
      if (outcome.status === 'rejected' && isOurs(outcome.reason)) throw outcome.reason;
    return this.#timestamps.next();
  }

  async isFlushed(
    ref: CollectionRef | null,
    segmentIds: readonly bigint[],
    timestamp: Timestamp,
  ): Promise<boolean> {
    const collections = ref === null ? this.#catalog.collections() : [this.#catalog.collection(ref)];
    const segments = segmentIds as readonly SegmentId[];
    const answers = collections.map(({ id }) => this.#streaming.isFlushed(id, timestamp, segments));
    return (await Promise.all(answers)).every((isFlushed) => isFlushed);
  }

  async compact(ref: CollectionRef, options: CompactOptions): Promise<CompactionTicket> {
    const { id, partitions } = this.#catalog.collection(ref);
    const { partitionId } = options;
    if (partitionId !== null && !partitions.some((partition) => partition.id === partitionId))
      throw partitionNotFound(String(partitionId));
    return await this.#streaming.compact(id, options);
  }

  compaction(ticket: bigint): CompactionReport {
    return this.#streaming.compaction(ticket);
  }

  async storedSegments(ref: CollectionRef): Promise<StoredSegments> {
    const { id } = this.#catalog.collection(ref);
    return { collectionId: id, segments: this.#segments.filesOf(id).segments };
  }

  async servedSegments(ref: CollectionRef): Promise<ServedSegments> {
    const { id } = this.#catalog.collection(ref);
    const indexes = new Map(this.#catalog.indexesOf(id).map((index) => [index.fieldId, index]));
    return { collectionId: id, segments: await this.#streaming.segments(id), indexes };
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
