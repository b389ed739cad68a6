import type { DuplicateKeyPolicy, PartitionId, Timestamp } from '@elanus/model';
import type { TestKey } from '@elanus/segment/testing';
import type { Change, WrittenRow } from './operation.ts';

interface Row extends WrittenRow {
  readonly insertedAt: Timestamp;
  deletedAt: Timestamp | null;
}

/** Every version of every row of a collection, in a list: what reads at any time should find. */
export class RowHistory {
  readonly #duplicateKey: DuplicateKeyPolicy;
  readonly #rows: Row[] = [];
  readonly #live = new Map<TestKey, Row[]>();

  constructor(duplicateKey: DuplicateKeyPolicy) {
    this.#duplicateKey = duplicateKey;
  }

  /** Takes a write that is later than all before; returns how many rows of earlier ones are out of sight now. */
  apply(timestamp: Timestamp, change: Change): number {
    if (change.kind === 'delete') {
      const { partitionIds } = change;
      const isMeant = (row: Row) => partitionIds === null || partitionIds.includes(row.partitionId);
      return change.keys.reduce((sum, key) => sum + this.#hide(key, timestamp, isMeant), 0);
    }
    const keepsOthers = change.kind === 'insert' && this.#duplicateKey === 'keep';
    let hidden = 0;
    for (const written of change.rows) {
      if (!keepsOthers) hidden += this.#hide(written.key, timestamp, () => true);
      const row = { ...written, insertedAt: timestamp, deletedAt: null };
      this.#rows.push(row);
      this.#live.set(written.key, [...(this.#live.get(written.key) ?? []), row]);
    }
    return hidden;
  }

  /** Rows with this key that are visible after the last write. */
  live(key: TestKey): readonly WrittenRow[] {
    return this.#live.get(key) ?? [];
  }

  /** Rows as of a time, in no order; without those of `gone` partitions. `partitionIds` `null`: all others. */
  visible(
    at: Timestamp,
    partitionIds: readonly PartitionId[] | null,
    gone: ReadonlySet<PartitionId>,
  ): readonly WrittenRow[] {
    return this.#rows.filter(
      (row) =>
        row.insertedAt <= at &&
        (row.deletedAt === null || row.deletedAt > at) &&
        (partitionIds === null || partitionIds.includes(row.partitionId)) &&
        !gone.has(row.partitionId),
    );
  }

  #hide(key: TestKey, timestamp: Timestamp, isMeant: (row: Row) => boolean): number {
    const [meant, others] = [this.live(key) as Row[], [] as Row[]];
    let hidden = 0;
    for (const row of meant) {
      if (!isMeant(row)) {
        others.push(row);
        continue;
      }
      row.deletedAt = timestamp;
      if (row.insertedAt < timestamp) hidden += 1;
    }
    this.#live.set(key, others);
    return hidden;
  }
}
