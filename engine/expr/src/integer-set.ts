import { integerHash } from './integer-hash.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

/** Of so many integers the halves are made one by one; more are packed first. */
const FEW = 64;

/** A set of 64-bit integers, asked by halves so that no row of a column becomes a bigint. */
export class IntegerSet {
  readonly #words: Int32Array;
  readonly #used: Uint8Array;
  readonly #mask: number;
  #size = 0;

  /** An empty set with room for `capacity` integers and no more. */
  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * capacity + 2));
    this.#words = new Int32Array(2 * slots);
    this.#used = new Uint8Array(slots);
    this.#mask = slots - 1;
  }

  /** The set of `values`, built in slices. */
  static *building(values: readonly bigint[] | BigInt64Array): Work<IntegerSet> {
    const set = new IntegerSet(values.length);
    if (values.length <= FEW) {
      for (const value of values)
        set.add(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
      return set;
    }
    for (let at = 0; at < values.length; at += SLICE_ITEMS) {
      if (at > 0) yield;
      const halves = halvesOf(values.slice(at, at + SLICE_ITEMS));
      for (let i = 0; i < halves.length; i += 2) set.add(halves[i]!, halves[i + 1]!);
    }
    return set;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether the integer with these halves, each read as 32 signed bits, is in the set. */
  has(low: number, high: number): boolean {
    const slot = this.#slotOf(low | 0, high | 0);
    return this.#used[slot] === 1;
  }

  /** Whether the integer was not in the set before. */
  add(low: number, high: number): boolean {
    const slot = this.#slotOf(low, high);
    if (this.#used[slot] === 1) return false;
    this.#used[slot] = 1;
    this.#words[2 * slot] = low;
    this.#words[2 * slot + 1] = high;
    this.#size++;
    return true;
  }

  /** Where the integer is, or the free place where it would be. */
  #slotOf(low: number, high: number): number {
    let slot = integerHash(low, high) & this.#mask;
    while (this.#used[slot] === 1 && (this.#words[2 * slot] !== low || this.#words[2 * slot + 1] !== high))
      slot = (slot + 1) & this.#mask;
    return slot;
  }
}

/** The low and the high half of each integer, in turn. */
export function halvesOf(values: readonly bigint[] | BigInt64Array): Int32Array {
  const { buffer, byteOffset, length } =
    values instanceof BigInt64Array ? values : BigInt64Array.from(values);
  return new Int32Array(buffer, byteOffset, 2 * length);
}
