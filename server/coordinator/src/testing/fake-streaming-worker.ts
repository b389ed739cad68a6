import {
  type CollectionId,
  type CollectionInfo,
  composeTimestamp,
  type PartitionId,
  type Timestamp,
} from '@elanus/model';
import type {
  CompactionReport,
  CompactionTicket,
  FlushPoint,
  SegmentReport,
  StreamingWorker,
  WriteRequest,
  WriteResult,
} from '@elanus/rpc';

/** Knows which collections have channels, and counts the rows that a test says there are. */
export class FakeStreamingWorker implements StreamingWorker {
  readonly collections = new Map<CollectionId, CollectionInfo>();
  readonly rows = new Map<PartitionId, bigint>();
  /** Of the last flush. */
  flushTimestamp = composeTimestamp(1_700_000_000_000);
  /** Collections whose flushes do not end. */
  readonly stuck = new Set<CollectionId>();

  /** What the real one does at a start: opens what the catalog has, collects what it has not. */
  recover(collections: readonly CollectionInfo[]): void {
    this.collections.clear();
    for (const collection of collections) this.collections.set(collection.id, collection);
  }

  async openCollection(collection: CollectionInfo): Promise<void> {
    this.collections.set(collection.id, collection);
  }

  async updateCollection(collection: CollectionInfo): Promise<void> {
    this.collections.set(collection.id, collection);
  }

  async dropCollection(id: CollectionId): Promise<void> {
    this.collections.delete(id);
  }

  async dropPartitions(_id: CollectionId, partitions: readonly PartitionId[]): Promise<void> {
    for (const partition of partitions) this.rows.delete(partition);
  }

  async write(_request: WriteRequest): Promise<WriteResult> {
    throw new Error('the fake worker takes no rows');
  }

  async flush(_id: CollectionId): Promise<FlushPoint> {
    this.flushTimestamp = (this.flushTimestamp + 1n) as Timestamp;
    return { timestamp: this.flushTimestamp, segmentIds: [] };
  }

  async isFlushed(id: CollectionId): Promise<boolean> {
    return !this.stuck.has(id);
  }

  async compact(): Promise<CompactionTicket> {
    return { id: 7n, plans: 0 };
  }

  compaction(): CompactionReport {
    return { executing: 0, completed: 0, failed: 0, merges: [] };
  }

  async segments(_id: CollectionId): Promise<readonly SegmentReport[]> {
    return [];
  }

  lossesOf(): readonly string[] {
    return [];
  }

  async countRows(id: CollectionId): Promise<ReadonlyMap<PartitionId, bigint>> {
    const partitions = this.collections.get(id)?.partitions ?? [];
    return new Map(partitions.map((partition) => [partition.id, this.rows.get(partition.id) ?? 0n]));
  }
}
