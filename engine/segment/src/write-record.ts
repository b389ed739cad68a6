import type { KeyColumn, PartitionId, RowBatch, SegmentId } from '@elanus/model';

/** Rows for one partition. */
export interface RowPart {
  readonly partitionId: PartitionId;
  readonly batch: RowBatch;
}

/** Keys whose rows go. */
export interface KeyPart {
  /** `null`: wherever in the shard the key is. */
  readonly partitionIds: readonly PartitionId[] | null;
  readonly keys: KeyColumn;
}

/** Rows that lie in the file of a sealed segment already, which nothing refers to before the write. */
export interface SegmentPart {
  readonly partitionId: PartitionId;
  readonly segment: WrittenSegment;
  /** `keys`: the partition is gone, and nothing but the rows that had the keys before is still to go. */
  readonly takes: 'rows' | 'keys';
}

/** A segment's file; where it lies follows from the id. */
export interface WrittenSegment {
  readonly id: SegmentId;
  readonly rows: number;
  readonly bytes: number;
  /** Of all its bytes. */
  readonly crc32: number;
}

export type WritePart = RowPart | KeyPart | SegmentPart;

/** What one write does to one shard. Its parts take effect in their order: of a key the last one counts. */
export interface WriteRecord {
  /** What the client asked for. */
  readonly kind: 'insert' | 'upsert' | 'delete';
  /** Whether rows put out of sight the rows that have their keys, or stand beside them. */
  readonly duplicates: 'replace' | 'keep';
  readonly parts: readonly WritePart[];
}

export function isRowPart(part: WritePart): part is RowPart {
  return 'batch' in part;
}

export function isSegmentPart(part: WritePart): part is SegmentPart {
  return 'segment' in part;
}
