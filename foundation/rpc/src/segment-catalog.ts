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
  Timestamp,
} from '@elanus/model';

/** What the catalog knows of the files of a collection. */
export interface CollectionFiles {
  /** `null`: nothing of the collection was ever flushed. */
  readonly checkpoint: Checkpoint | null;
  /** In the order they were published, as are the others. */
  readonly segments: readonly SegmentInfo[];
  readonly deleteFiles: readonly DeleteFileInfo[];
  readonly indexFiles: readonly IndexFileInfo[];
}

/** What a flush has written. */
export interface FlushPublication {
  readonly segments: readonly SegmentInfo[];
  readonly deleteFiles: readonly DeleteFileInfo[];
  /** Whose rows are all deleted, and can't be read any more. Indexes over any of them go along. */
  readonly deadSegments: readonly SegmentId[];
  /** Whose deletions are in `deleteFiles` now, or belong to segments that are no more. */
  readonly replacedDeleteFiles: readonly SegmentId[];
  readonly checkpoint: Checkpoint;
}

/** What a compaction has made of some segments of one partition. */
export interface CompactionPublication {
  readonly collectionId: CollectionId;
  /** Whose rows are in `segment` now, or deleted. Indexes over any of them go along. */
  readonly replaced: readonly SegmentId[];
  /** `null`: no row is left. */
  readonly segment: SegmentInfo | null;
  /** Of rows of `segment`. */
  readonly deleteFile: DeleteFileInfo | null;
  /** Without deletions of any segment that there is then. */
  readonly replacedDeleteFiles: readonly SegmentId[];
  /** Earlier moments can't be read any more. */
  readonly historyStart: Timestamp;
}

/** Which files in the object store count, as far as workers have a say in it. */
export interface SegmentCatalog {
  /** Ids that nobody has or will get. */
  allocateIds(count: number): Promise<readonly SegmentId[]>;
  /** @throws MilvusError 1009 when a record of it is damaged: nobody knows what the collection holds */
  filesOf(id: CollectionId): CollectionFiles;
  /**
   * Makes all of it count, or nothing. Segments of partitions that have been dropped meanwhile are left out, and history never
   * begins earlier than it did; resolves to the partitions there are.
   * @throws collectionNotFound
   */
  publishFlush(flush: FlushPublication): Promise<ReadonlySet<PartitionId>>;
  /**
   * Makes all of it count, or nothing: false when one of the replaced segments, or the partition, is no more. The checkpoint
   * stays where it is: no flush is published meanwhile.
   */
  publishCompaction(compaction: CompactionPublication): Promise<boolean>;
  /**
   * Says that the rows of a segment are in `segment.file` from now on, in the same places as `before`; false when they are
   * not in that file any more, or the segment is no more.
   */
  publishRefill(segment: SegmentInfo, before: StoredFile): Promise<boolean>;
  /** @throws MilvusError when the index, the collection or a segment is no more */
  publishIndexFile(file: IndexFileInfo, replaced: readonly SegmentId[]): Promise<void>;
  /** Keeps what is known of an index' searches, in place of what was kept before; of a file that does not count, nothing. */
  keepRecalls(
    file: Pick<IndexFileInfo, 'collectionId' | 'id'>,
    recalls: readonly MeasuredRecalls[],
  ): Promise<void>;
  /**
   * Whether a file in the store counts, or may: `uncertain` when its collection's records are damaged. Keys that are not
   * named as ours are `uncertain`.
   */
  standingOf(key: string): 'referenced' | 'unreferenced' | 'uncertain';
}
