import type { Timestamp } from '@elanus/model';
import { grownUint32, sharedUint32 } from '../shared-memory.ts';

/** Which write has brought each row of a chunk: rows lie in the order of their writes, so one write's are a run. */
export class WriteRuns {
  /** Row numbers at which a new write begins, and its ordinal. */
  #starts = sharedUint32(4);
  #ordinals = sharedUint32(4);
  #runs = 0;
  /** Of the last run: nearly all readers have seen it, who then need not look at the arrays of each chunk. */
  #lastOrdinal = 0;

  get byteLength(): number {
    return this.#starts.byteLength + this.#ordinals.byteLength;
  }

  /** The writes that have brought the first and the last row. There are rows. */
  get ordinals(): { readonly first: number; readonly last: number } {
    return { first: this.#ordinals[0]!, last: this.#ordinals[this.#runs - 1]! };
  }

  /** Row `row` and those that follow it come from write `ordinal`, which is none before the last one. */
  note(row: number, ordinal: number): void {
    if (this.#runs > 0 && this.#lastOrdinal === ordinal) return;
    this.#lastOrdinal = ordinal;
    this.#starts = grownUint32(this.#starts, this.#runs + 1);
    this.#ordinals = grownUint32(this.#ordinals, this.#runs + 1);
    this.#starts[this.#runs] = row;
    this.#ordinals[this.#runs] = ordinal;
    this.#runs += 1;
  }

  /** How many of the `rows` rows there are come from write `ordinal` and those before it. */
  rowsUpTo(ordinal: number, rows: number): number {
    if (ordinal >= this.#lastOrdinal) return rows;
    let low = 0;
    let high = this.#runs;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ordinals[middle]! <= ordinal) low = middle + 1;
      else high = middle;
    }
    return low === this.#runs ? rows : this.#starts[low]!;
  }

  /** When each of the `rows` rows there are was written. */
  timestamps(rows: number, timestampOf: (ordinal: number) => Timestamp): BigInt64Array {
    const timestamps = new BigInt64Array(rows);
    for (let run = 0; run < this.#runs; run++) {
      const end = run + 1 < this.#runs ? this.#starts[run + 1]! : rows;
      timestamps.fill(timestampOf(this.#ordinals[run]!), this.#starts[run]!, end);
    }
    return timestamps;
  }
}
