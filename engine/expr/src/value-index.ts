import type { ListValue } from './plan.ts';
import { SlotTable } from './slot-table.ts';
import { TextIndex } from './text-index.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

const double = new Float64Array(1);
const long = new BigInt64Array(double.buffer);
const halves = new Int32Array(double.buffer);

/** Where in a list of constants a row's value is. Numbers meet exactly whether written 1 or 1.0. */
export class ValueIndex {
  /** By the bits of their doubles; 0 for both zeros. */
  readonly #numbers: SlotTable;
  /** Integers that no double is equal to. */
  readonly #longs: SlotTable;
  readonly #booleans: [number, number] = [-1, -1];
  #texts!: TextIndex;
  /** Distinct scalars, which have the slots `0 .. slots`. */
  slots = 0;
  /** The values of the list that are lists. */
  readonly lists: (readonly ListValue[])[] = [];

  private constructor(numbers: number, longs: number) {
    this.#numbers = new SlotTable(numbers);
    this.#longs = new SlotTable(longs);
  }

  /** The index of `values`, built in slices. */
  static *building(values: readonly ListValue[] | BigInt64Array): Work<ValueIndex> {
    let numbers = 0;
    let longs = 0;
    for (let at = 0; at < values.length; at++) {
      if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
      const value = values[at]!;
      if (typeof value === 'number') numbers++;
      else if (typeof value === 'bigint') exactDouble(value) === undefined ? longs++ : numbers++;
    }
    const index = new ValueIndex(numbers, longs);
    const texts: string[] = [];
    for (let at = 0; at < values.length; at++) {
      if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
      const value = values[at]!;
      if (typeof value === 'string') texts.push(value);
      else index.#add(value);
    }
    index.#texts = yield* TextIndex.building(texts, index.slots);
    index.slots += index.#texts.size;
    return index;
  }

  #add(value: Exclude<ListValue, string>): void {
    if (typeof value === 'object') this.lists.push(value);
    else if (typeof value === 'boolean') {
      if (this.#booleans[Number(value)] === -1) this.#booleans[Number(value)] = this.slots++;
    } else {
      const table = this.#find(value);
      if (table.add(halves[0]!, halves[1]!, this.slots)) this.slots++;
    }
  }

  /** Kinds of which the list has none: their values are not comparable with it. */
  has(kind: 'number' | 'text' | 'boolean'): boolean {
    if (kind === 'number') return this.#numbers.size + this.#longs.size > 0;
    if (kind === 'text') return this.#texts.size > 0;
    return this.#booleans[0] >= 0 || this.#booleans[1] >= 0;
  }

  /** The slot of the value, -1 when it is not in the list. */
  slotOfNumber(value: number | bigint): number {
    const table = this.#find(value);
    return table.slotOf(halves[0]!, halves[1]!);
  }

  /** The table that the number would be in; its halves are in `halves`. */
  #find(value: number | bigint): SlotTable {
    const exact = typeof value === 'number' ? value : exactDouble(value);
    if (exact === undefined) {
      long[0] = value as bigint;
      return this.#longs;
    }
    // Adding 0 makes -0 a 0.
    double[0] = exact + 0;
    return this.#numbers;
  }

  /** The slot of the UTF-8 text `bytes[start .. end)`, -1 when it is not in the list. */
  slotOfText(bytes: Uint8Array, start: number, end: number): number {
    return this.#texts.slotOf(bytes, start, end);
  }

  slotOfBoolean(value: boolean): number {
    return this.#booleans[value ? 1 : 0];
  }
}

/** The double that is equal to an integer of 64 bits; `undefined` when there is none. */
function exactDouble(value: bigint): number | undefined {
  const number = Number(value);
  return Number.isSafeInteger(number) || BigInt(number) === value ? number : undefined;
}

/** One spelling for numbers that are equal: a number wherever that is exact. */
export function exactNumber(value: number | bigint): number | bigint {
  return typeof value === 'number' ? value : (exactDouble(value) ?? value);
}
