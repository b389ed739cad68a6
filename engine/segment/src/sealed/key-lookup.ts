import { DataType, type Int64Column, type KeyColumn, type VarCharColumn } from '@elanus/model';
import type { KeyFilter } from '../files/key-filter.ts';
import { wordsOf } from '../key-order.ts';

/** For a key that is looked for: negative for stored rows whose key comes before it, positive for those behind it. */
type Comparison = (keys: KeyColumn, row: number) => (storedRow: number) => number;

/** Finds rows of a file by their key: a filter first, then a search by halves in the order of the keys. */
export class KeyLookup {
  readonly #filter: KeyFilter;
  readonly #rows: number;
  readonly #order: Uint32Array | null;
  readonly #compare: Comparison;

  /** `order`: the row numbers in the order of the keys; `null`: they lie so. */
  constructor(stored: KeyColumn, filter: KeyFilter, order: Uint32Array | null) {
    this.#filter = filter;
    this.#rows = stored.length;
    this.#order = order;
    this.#compare = stored.dataType === DataType.Int64 ? compareNumbers(stored) : compareTexts(stored);
  }

  /** Sets `found[i]` to 1 when the file may have key `start + i`, otherwise to 0. */
  mayHold(keys: KeyColumn, start: number, end: number, found: Uint8Array): void {
    this.#filter.mayHold(keys, start, end, found);
  }

  /** The rows of the key in row `row` of `keys`, in the order of the file. */
  rowsOf(keys: KeyColumn, row: number): readonly number[] {
    const compare = this.#compare(keys, row);
    let low = 0;
    let high = this.#rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#rowAt(middle)) < 0) low = middle + 1;
      else high = middle;
    }
    const rows: number[] = [];
    for (let at = low; at < this.#rows; at++) {
      const stored = this.#rowAt(at);
      if (compare(stored) !== 0) break;
      rows.push(stored);
    }
    return rows;
  }

  /** A number beyond the rows, which only damage can bring, is no row: it is compared as the last. */
  #rowAt(place: number): number {
    if (this.#order === null) return place;
    return Math.min(this.#order[place]!, this.#rows - 1);
  }
}

/** By halves: reading a bigint makes an object. */
function compareNumbers(stored: Int64Column): Comparison {
  const own = wordsOf(stored.values);
  return (keys, row) => {
    const wanted = wordsOf((keys as Int64Column).values);
    const high = wanted[2 * row + 1]!;
    const low = wanted[2 * row]! >>> 0;
    return (storedRow) => own[2 * storedRow + 1]! - high || (own[2 * storedRow]! >>> 0) - low;
  };
}

function compareTexts({ offsets, bytes }: VarCharColumn): Comparison {
  return (keys, row) => {
    const wanted = keys as VarCharColumn;
    const wantedStart = wanted.offsets[row]!;
    const wantedLength = wanted.offsets[row + 1]! - wantedStart;
    return (storedRow) => {
      const start = offsets[storedRow]!;
      const length = offsets[storedRow + 1]! - start;
      const common = Math.min(length, wantedLength);
      for (let i = 0; i < common; i++) {
        const difference = bytes[start + i]! - wanted.bytes[wantedStart + i]!;
        if (difference !== 0) return difference;
      }
      return length - wantedLength;
    };
  };
}
