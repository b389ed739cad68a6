import type { PartitionId, Timestamp } from '@elanus/model';
import type { TestKey } from '@elanus/segment/testing';

/** A row that a client wrote. No two of a simulation have the same `version`, so that what is read tells who wrote it. */
export interface WrittenRow {
  readonly key: TestKey;
  readonly version: bigint;
  readonly partitionId: PartitionId;
}

/** What a client asked for; of rows with the same key the last one counts, unless duplicates are kept. */
export type Change =
  | { readonly kind: 'insert' | 'upsert'; readonly rows: readonly WrittenRow[] }
  | {
      readonly kind: 'delete';
      readonly keys: readonly TestKey[];
      /** `null`: wherever the key is. */
      readonly partitionIds: readonly PartitionId[] | null;
    };

/**
 * One write and what its client knows of it: `open` while there is no answer (also after a crash: then it may
 * be there or not, but whole, and what was seen once stays), `present` when it was acknowledged or
 * found, `absent` when it was refused or not found.
 */
export class Operation {
  readonly change: Change;
  outcome: 'open' | 'present' | 'absent' = 'open';
  /** Rows of earlier writes that it put out of sight, as the answer said. */
  replacedRows: number | null = null;
  /** When it was given its place among the writes; `null` as long as it has none. */
  #timestamp: Timestamp | null = null;

  constructor(change: Change) {
    this.change = change;
  }

  get timestamp(): Timestamp | null {
    return this.#timestamp;
  }

  set timestamp(timestamp: Timestamp) {
    if (this.#timestamp !== null) throw new Error(`a write is ordered twice, at ${this.#timestamp} before`);
    this.#timestamp = timestamp;
  }
}
