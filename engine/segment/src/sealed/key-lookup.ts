import { DataType, type Int64Column, type KeyColumn, type VarCharColumn } from '@elanus/model';
import type { KeyFilter } from '../files/key-filter.ts';
import type { KeyHash } from '../files/key-hash.ts';
import { int64Order, type RowOrder, textOrder, wordsOf } from '../key-order.ts';

/** For a key that is looked for: negative for stored rows whose key comes before it, positive for those behind it. */
type Comparison = (keys: KeyColumn, row: number) => (storedRow: number) => number;

/** How far a key lies from the first to the last one: 0 to 1. */
type Share = (keys: KeyColumn, row: number) => number;

const NONE: readonly number[] = [];

/**
 * Finds rows of a file by their key: a filter first, then a search in the order of the keys. It begins where the key would
 * be if all were as far from each other: keys that the server has made, and all that are counted up, are found at once,
 * whatever the number of rows.
 */
export class KeyLookup {
  readonly #stored: KeyColumn;
  readonly #filter: KeyFilter;
  readonly #rows: number;
  readonly #order: Uint32Array | null;
  readonly #compare: Comparison;
  /** `null`: nothing is known of it. */
  readonly #share: Share | null;

  /** `order`: the row numbers in the order of the keys; `null`: they lie so. */
  constructor(stored: KeyColumn, filter: KeyFilter, order: Uint32Array | null) {
    this.#stored = stored;
    this.#filter = filter;
    this.#rows = stored.length;
    this.#order = order;
    const isNumeric = stored.dataType === DataType.Int64;
    this.#compare = isNumeric ? compareNumbers(stored) : compareTexts(stored);
    this.#share =
      isNumeric && this.#rows > 0 ? shareOf(stored, this.#rowAt(0), this.#rowAt(this.#rows - 1)) : null;
  }

  /** Sets `found[i]` to 1 when the file may have key `start + i`, otherwise to 0. */
  mayHold(keys: KeyColumn, start: number, end: number, found: Uint8Array): void {
    this.#filter.mayHold(keys, start, end, found);
  }

  /** The rows of the key in row `row` of `keys`, whose hash by `keyHasher` this is, in the order of the file. */
  find(keys: KeyColumn, row: number, hash: KeyHash): readonly number[] {
    const compare = this.#compare(keys, row);
    const isOutside =
      this.#rows === 0 || compare(this.#rowAt(0)) > 0 || compare(this.#rowAt(this.#rows - 1)) < 0;
    if (isOutside) return NONE;
    const guess = this.#guess(keys, row);
    // A key that lies where it would be is there: the filter is another part of memory to wait for.
    const isThere = guess !== null && compare(this.#rowAt(guess)) === 0;
    if (isThere && this.#isAlone(guess, compare)) return [this.#rowAt(guess)];
    return isThere || this.#filter.holds(hash) ? this.#rowsOf(compare, guess) : NONE;
  }

  /** As `find`, of a key that the filter may hold. */
  rowsOf(keys: KeyColumn, row: number): readonly number[] {
    return this.#rows === 0 ? NONE : this.#rowsOf(this.#compare(keys, row), this.#guess(keys, row));
  }

  /** Whether a key may be in both files, by the first and the last key of each. */
  mayShare(other: KeyLookup): boolean {
    if (this.#rows === 0 || other.#rows === 0) return false;
    const order = orderOf([this.#stored, other.#stored]);
    const [first, last] = [this.#rowAt(0), this.#rowAt(this.#rows - 1)];
    const [otherFirst, otherLast] = [other.#rowAt(0), other.#rowAt(other.#rows - 1)];
    return order(0, first, 1, otherLast) <= 0 && order(1, otherFirst, 0, last) <= 0;
  }

  /** Whether each key at the places `start .. end` of their order comes behind the one before it: none is there twice. */
  isRising(start: number, end: number): boolean {
    const order = orderOf([this.#stored]);
    for (let place = Math.max(1, start); place < Math.min(end, this.#rows); place++)
      if (order(0, this.#rowAt(place - 1), 0, this.#rowAt(place)) >= 0) return false;
    return true;
  }

  #guess(keys: KeyColumn, row: number): number | null {
    if (this.#share === null) return null;
    return Math.floor(Math.min(1, Math.max(0, this.#share(keys, row))) * (this.#rows - 1));
  }

  /** Whether a key that is at `place` is at no place beside it. */
  #isAlone(place: number, compare: (row: number) => number): boolean {
    const isBefore = place > 0 && compare(this.#rowAt(place - 1)) === 0;
    return !isBefore && (place + 1 === this.#rows || compare(this.#rowAt(place + 1)) !== 0);
  }

  #rowsOf(compare: (storedRow: number) => number, guess: number | null): readonly number[] {
    const isBefore = (place: number): boolean => compare(this.#rowAt(place)) < 0;
    let [low, high] = guess === null ? [0, this.#rows] : around(guess, this.#rows, isBefore);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(middle)) low = middle + 1;
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

/** Of keys alone: 0 for equal ones. */
function orderOf(columns: readonly KeyColumn[]): RowOrder {
  return columns[0]!.dataType === DataType.Int64
    ? int64Order(columns as readonly Int64Column[])
    : textOrder(columns as readonly VarCharColumn[]);
}

/** Between which two places, the second one included, the first lies that is not before a key: by steps that double. */
function around(
  guess: number,
  places: number,
  isBefore: (place: number) => boolean,
): [low: number, high: number] {
  let low = 0;
  let high = places;
  if (isBefore(guess)) {
    low = guess + 1;
    for (let step = 1; low + step < high; step *= 2) {
      if (!isBefore(low + step)) return [low, low + step];
      low += step + 1;
    }
  } else {
    high = guess;
    for (let step = 1; high - step > low; step *= 2) {
      if (isBefore(high - step)) return [high - step + 1, high];
      high -= step;
    }
  }
  return [low, high];
}

/** As far as doubles tell. */
function shareOf({ values }: Int64Column, firstRow: number, lastRow: number): Share {
  const stored = wordsOf(values);
  const distance = (words: Int32Array, row: number): number =>
    (words[2 * row + 1]! - stored[2 * firstRow + 1]!) * 2 ** 32 +
    ((words[2 * row]! >>> 0) - (stored[2 * firstRow]! >>> 0));
  const whole = Math.max(1, distance(stored, lastRow));
  return (keys, row) => distance(wordsOf((keys as Int64Column).values), row) / whole;
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
