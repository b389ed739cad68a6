import type { ChannelName, CollectionId, FieldId, IndexId, PartitionId, SegmentId } from './ids.ts';
import type { Timestamp } from './timestamp.ts';

/** A file in the object store, written once. */
export interface StoredFile {
  readonly key: string;
  readonly bytes: number;
  /** Of all its bytes. */
  readonly crc32: number;
}

/** A sealed segment as the catalog knows it: rows of one channel and one partition that will not change any more. */
export interface SegmentInfo {
  readonly id: SegmentId;
  readonly collectionId: CollectionId;
  readonly partitionId: PartitionId;
  readonly channel: ChannelName;
  /** Deleted ones included. */
  readonly rows: number;
  /** Of its oldest and its newest row. */
  readonly firstTimestamp: Timestamp;
  readonly lastTimestamp: Timestamp;
  readonly file: StoredFile;
}

/** The file of a segment-to-be: its rows count from the write on that brings it. Where it lies follows from the id. */
export interface StagedSegment {
  readonly id: SegmentId;
  readonly channel: ChannelName;
  readonly partitionId: PartitionId;
  readonly rows: number;
  readonly bytes: number;
  /** Of all its bytes. */
  readonly crc32: number;
}

/** Deletions of rows of a channel's sealed segments. */
export interface DeleteFileInfo {
  readonly id: SegmentId;
  readonly collectionId: CollectionId;
  readonly channel: ChannelName;
  readonly rows: number;
  readonly file: StoredFile;
}

/** Rows `from .. to` of a sealed segment. */
export interface SegmentRun {
  readonly segmentId: SegmentId;
  readonly from: number;
  readonly to: number;
}

/** How recall grows with the effort of searches of one index: of one class of them, as it was measured. */
export interface MeasuredRecalls {
  /** Hits, at most. */
  readonly hits: number;
  /** `rows / 2 ** halvings` of the rows are allowed, or down to half as many. */
  readonly halvings: number;
  /** What is to be taken off every value: queries that come may be harder than those it was measured with. */
  readonly margin: number;
  /** In ascending order of effort; recall and the standard error of it are shares. */
  readonly points: readonly {
    readonly ef: number;
    readonly recall: number;
    readonly standardError: number;
    /** Whether most of the searches went through all allowed rows and walked through no graph. */
    readonly isScanned: boolean;
  }[];
}

/** An index over the vectors of one field in rows of sealed segments of one channel and partition. */
export interface IndexFileInfo {
  readonly id: SegmentId;
  readonly collectionId: CollectionId;
  readonly indexId: IndexId;
  readonly fieldId: FieldId;
  readonly rows: number;
  /** In the order of the index' rows. The file is dropped with any of their segments. */
  readonly runs: readonly SegmentRun[];
  readonly file: StoredFile;
  /** What is known of its searches; left out: nothing. */
  readonly recalls?: readonly MeasuredRecalls[];
}

/** Up to when the files of a collection hold its writes, on all its channels. */
export interface Checkpoint {
  readonly collectionId: CollectionId;
  /** Everything written up to here is in files; everything later is in the log. */
  readonly timestamp: Timestamp;
  /** Earlier moments can't be read any more: rows that were deleted before have gone. */
  readonly historyStart: Timestamp;
}

/** The folder of a collection in the object store; it ends with `/`. */
export function collectionFolder(id: CollectionId): string {
  return `collection-${id}/`;
}

/** Where the rows of a segment are; `file` tells one that has taken the place of others from those. */
export function segmentFileKey(collection: CollectionId, id: SegmentId, file?: SegmentId): string {
  const name = file === undefined ? `${id}` : `${id}-${file}`;
  return `${collectionFolder(collection)}log-snapshot/${name}.arrow`;
}

/** Where a file of deletions is. */
export function deleteFileKey(collection: CollectionId, id: SegmentId): string {
  return `${collectionFolder(collection)}delta/${id}.arrow`;
}

/** Where an index is. */
export function indexFileKey(collection: CollectionId, id: SegmentId): string {
  return `${collectionFolder(collection)}index/${id}.idx`;
}
