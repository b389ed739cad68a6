import type { LoopShare } from '@elanus/runtime';

/** Rows ascending, and when each was deleted. */
export interface DeletedRowTimes {
  readonly rows: Uint32Array;
  readonly timestamps: BigInt64Array;
}

/** 16,384 rows are sorted in about a millisecond. */
const GROUP_BITS = 14;

/** Rows of a segment and when each was first deleted, in groups of neighbours that are sorted at a stretch. */
export class RowTimes {
  readonly #groups = new Map<number, Map<number, bigint>>();
  #rows = 0;

  note(row: number, timestamp: bigint): void {
    const group = this.#groups.get(row >>> GROUP_BITS) ?? new Map<number, bigint>();
    const known = group.get(row);
    if (known === undefined) this.#rows += 1;
    if (known === undefined || timestamp < known) group.set(row, timestamp);
    this.#groups.set(row >>> GROUP_BITS, group);
  }

  async sorted(share: LoopShare): Promise<DeletedRowTimes> {
    const rows = new Uint32Array(this.#rows);
    const timestamps = new BigInt64Array(this.#rows);
    let at = 0;
    for (const number of [...this.#groups.keys()].sort((a, b) => a - b)) {
      const times = this.#groups.get(number)!;
      for (const row of Uint32Array.from(times.keys()).sort()) {
        rows[at] = row;
        timestamps[at] = times.get(row)!;
        at += 1;
      }
      if (share.isSpent()) await share.nextTurn();
    }
    return { rows, timestamps };
  }
}
