import { sharedUint32 } from '../shared-memory.ts';
import type { GramPart } from './scalar-index.ts';
import { sortKeyedRows } from './sort-keys.ts';

/** Runs of so many bytes fit into one number. */
export const GRAM_BYTES_MAX = 4;

/** Gathers the runs of bytes of texts with their rows, ascending. */
export class GramBuilder {
  readonly #gramBytes: number;
  #grams = new Uint32Array(4096);
  #rows = new Uint32Array(4096);
  #length = 0;

  /** `gramBytes`: 1 to `GRAM_BYTES_MAX`. */
  constructor(gramBytes: number) {
    this.#gramBytes = gramBytes;
  }

  add(bytes: Uint8Array, start: number, end: number, row: number): void {
    for (let at = start; at + this.#gramBytes <= end; at++) {
      if (this.#length === this.#rows.length) this.#grow();
      this.#grams[this.#length] = gramAt(bytes, at, this.#gramBytes);
      this.#rows[this.#length++] = row;
    }
  }

  finish(): GramPart {
    const pairs = {
      low: this.#grams.subarray(0, this.#length),
      high: null,
      rows: this.#rows.subarray(0, this.#length),
    };
    const { low, rows } = sortKeyedRows(pairs);
    let distinct = 0;
    let used = 0;
    const starts = new Uint32Array(low.length + 1);
    for (let i = 0; i < low.length; i++) {
      const isNew = i === 0 || low[i] !== low[distinct - 1];
      if (!isNew && rows[used - 1] === rows[i]) continue;
      if (isNew) {
        starts[distinct] = used;
        low[distinct++] = low[i]!;
      }
      rows[used++] = rows[i]!;
    }
    starts[distinct] = used;
    return {
      kind: 'grams',
      gramBytes: this.#gramBytes,
      grams: shared(low, distinct),
      starts: shared(starts, distinct + 1),
      rows: shared(rows, used),
    };
  }

  #grow(): void {
    const [grams, rows] = [this.#grams, this.#rows];
    this.#grams = new Uint32Array(2 * grams.length);
    this.#grams.set(grams);
    this.#rows = new Uint32Array(2 * rows.length);
    this.#rows.set(rows);
  }
}

/** `count` bytes as a number, the first one uppermost. */
export function gramAt(bytes: ArrayLike<number>, at: number, count: number): number {
  let gram = 0;
  for (let i = 0; i < count; i++) gram = (gram << 8) | bytes[at + i]!;
  return gram >>> 0;
}

function shared(words: Uint32Array, length: number): Uint32Array {
  const copy = sharedUint32(length);
  copy.set(words.subarray(0, length));
  return copy;
}
