import type { PartitionId, Timestamp } from '@elanus/model';
import type { TestKey } from '@elanus/segment/testing';

/** A row as it was written, and what became of it. */
export interface ModelRow {
  readonly key: TestKey;
  readonly partitionId: PartitionId;
  /** Values of the stored fields by name or id, whatever the test compares. */
  readonly values: unknown;
  readonly insertedAt: Timestamp;
  deletedAt: Timestamp | null;
}

export type ModelWrite =
  | {
      readonly kind: 'insert' | 'upsert';
      readonly rows: readonly { key: TestKey; partitionId: PartitionId; values: unknown }[];
    }
  | {
      readonly kind: 'delete';
      readonly keys: readonly TestKey[];
      readonly partitionIds: readonly PartitionId[] | null;
    };

/** What a collection should hold, as one would write it down first: every version of every row, in a list. */
export class ModelCollection {
  readonly keepsDuplicates: boolean;
  readonly rows: ModelRow[] = [];

  constructor(options: { readonly keepsDuplicates: boolean }) {
    this.keepsDuplicates = options.keepsDuplicates;
  }

  /** Returns how many earlier rows are out of sight now. */
  apply(timestamp: Timestamp, write: ModelWrite): number {
    let hidden = 0;
    const hide = (isMeant: (row: ModelRow) => boolean): void => {
      for (const row of this.rows) {
        if (row.deletedAt !== null || !isMeant(row)) continue;
        row.deletedAt = timestamp;
        if (row.insertedAt < timestamp) hidden += 1;
      }
    };
    if (write.kind === 'delete') {
      for (const key of write.keys)
        hide(
          (row) =>
            row.key === key && (write.partitionIds === null || write.partitionIds.includes(row.partitionId)),
        );
      return hidden;
    }
    for (const row of write.rows) {
      if (!(this.keepsDuplicates && write.kind === 'insert')) hide((other) => other.key === row.key);
      this.rows.push({ ...row, insertedAt: timestamp, deletedAt: null });
    }
    return hidden;
  }

  dropPartition(id: PartitionId): void {
    for (const row of [...this.rows]) if (row.partitionId === id) this.rows.splice(this.rows.indexOf(row), 1);
  }

  /** What a read sees at a time, in the order of keys, then of writes. */
  visible(at: Timestamp, partitionIds: readonly PartitionId[] | null = null): readonly ModelRow[] {
    return this.rows
      .filter((row) => row.insertedAt <= at && (row.deletedAt === null || row.deletedAt > at))
      .filter((row) => partitionIds === null || partitionIds.includes(row.partitionId))
      .sort((a, b) => compareKeys(a.key, b.key));
  }
}

export function compareKeys(a: TestKey, b: TestKey): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
