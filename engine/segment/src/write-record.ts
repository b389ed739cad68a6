import type { KeyColumn, PartitionId, RowBatch } from '@elanus/model';

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

export type WritePart = RowPart | KeyPart;

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
