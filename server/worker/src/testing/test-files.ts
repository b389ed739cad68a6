import type {
  Checkpoint,
  CollectionId,
  DeleteFileInfo,
  IndexFileInfo,
  MeasuredRecalls,
  PartitionId,
  SegmentId,
  SegmentInfo,
  StoredFile,
} from '@elanus/model';
import type { CollectionFiles, CompactionPublication, FlushPublication, SegmentCatalog } from '@elanus/rpc';
import { MemoryObjectStore } from './memory-object-store.ts';

/** An object store and the records of its files, in memory. */
export class TestFiles {
  readonly store = new MemoryObjectStore();
  readonly catalog = new TestSegmentCatalog();
}

/** Keeps what is published, of every collection. */
export class TestSegmentCatalog implements SegmentCatalog {
  readonly segments = new Map<SegmentId, SegmentInfo>();
  readonly deleteFiles = new Map<SegmentId, DeleteFileInfo>();
  readonly indexFiles = new Map<SegmentId, IndexFileInfo>();
  readonly checkpoints = new Map<CollectionId, Checkpoint>();
  /** Partitions that a publication finds dropped. */
  readonly droppedPartitions = new Set<PartitionId>();
  /** Publishes a flush, or does something else; `null`: just that. */
  around: (<Result>(work: () => Promise<Result>) => Promise<Result>) | null = null;
  #nextId = 1_000n;

  async allocateIds(count: number): Promise<readonly SegmentId[]> {
    return Array.from({ length: count }, () => this.#nextId++ as SegmentId);
  }

  filesOf(id: CollectionId): CollectionFiles {
    const own = <Info extends { readonly collectionId: CollectionId }>(infos: Iterable<Info>): Info[] =>
      [...infos].filter(({ collectionId }) => collectionId === id);
    return {
      checkpoint: this.checkpoints.get(id) ?? null,
      segments: own(this.segments.values()),
      deleteFiles: own(this.deleteFiles.values()),
      indexFiles: own(this.indexFiles.values()),
    };
  }

  async publishFlush(flush: FlushPublication): Promise<ReadonlySet<PartitionId>> {
    const work = async () => this.#publish(flush);
    return await (this.around === null ? work() : this.around(work));
  }

  async publishCompaction(compaction: CompactionPublication): Promise<boolean> {
    const work = async () => this.#publishCompaction(compaction);
    return await (this.around === null ? work() : this.around(work));
  }

  async publishRefill(segment: SegmentInfo, before: StoredFile): Promise<boolean> {
    const work = async () => {
      if (this.segments.get(segment.id)?.file.key !== before.key) return false;
      this.segments.set(segment.id, segment);
      return true;
    };
    return await (this.around === null ? work() : this.around(work));
  }

  #publishCompaction(compaction: CompactionPublication): boolean {
    const { collectionId, replaced, segment, deleteFile, replacedDeleteFiles, historyStart } = compaction;
    const checkpoint = this.checkpoints.get(collectionId);
    const isGone = segment !== null && this.droppedPartitions.has(segment.partitionId);
    if (isGone || checkpoint === undefined || !replaced.every((id) => this.segments.has(id))) return false;
    for (const id of replaced) this.segments.delete(id);
    for (const id of replacedDeleteFiles) this.deleteFiles.delete(id);
    for (const [id, { runs }] of this.indexFiles)
      if (runs.some(({ segmentId }) => replaced.includes(segmentId))) this.indexFiles.delete(id);
    if (segment !== null) this.segments.set(segment.id, segment);
    if (deleteFile !== null) this.deleteFiles.set(deleteFile.id, deleteFile);
    const latest = historyStart > checkpoint.historyStart ? historyStart : checkpoint.historyStart;
    this.checkpoints.set(collectionId, { ...checkpoint, historyStart: latest });
    return true;
  }

  #publish(flush: FlushPublication): ReadonlySet<PartitionId> {
    const kept = flush.segments.filter(({ partitionId }) => !this.droppedPartitions.has(partitionId));
    for (const segment of kept) this.segments.set(segment.id, segment);
    for (const file of flush.deleteFiles) this.deleteFiles.set(file.id, file);
    for (const id of flush.deadSegments) this.segments.delete(id);
    for (const id of flush.replacedDeleteFiles) this.deleteFiles.delete(id);
    const { collectionId, timestamp, historyStart } = flush.checkpoint;
    const known = this.checkpoints.get(collectionId)?.historyStart ?? historyStart;
    this.checkpoints.set(collectionId, {
      collectionId,
      timestamp,
      historyStart: known > historyStart ? known : historyStart,
    });
    return new Set(
      flush.segments
        .map(({ partitionId }) => partitionId)
        .filter((partition) => !this.droppedPartitions.has(partition)),
    );
  }

  async publishIndexFile(file: IndexFileInfo, replaced: readonly SegmentId[]): Promise<void> {
    this.indexFiles.set(file.id, file);
    for (const id of replaced) this.indexFiles.delete(id);
  }

  async keepRecalls({ id }: Pick<IndexFileInfo, 'id'>, recalls: readonly MeasuredRecalls[]): Promise<void> {
    const file = this.indexFiles.get(id);
    if (file !== undefined) this.indexFiles.set(id, { ...file, recalls });
  }

  standingOf(key: string): 'referenced' | 'unreferenced' {
    const infos = [...this.segments.values(), ...this.deleteFiles.values(), ...this.indexFiles.values()];
    return infos.some(({ file }) => file.key === key) ? 'referenced' : 'unreferenced';
  }
}
