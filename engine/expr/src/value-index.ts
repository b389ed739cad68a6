import type { ListValue } from './plan.ts';
import { TextIndex } from './text-index.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

/** Where in a list of constants a row's value is. Numbers meet exactly whether written 1 or 1.0. */
export class ValueIndex {
  readonly #numbers = new Map<number | bigint, number>();
  readonly #booleans: [number, number] = [-1, -1];
  #texts!: TextIndex;
  /** Distinct scalars, which have the slots `0 .. slots`. */
  slots = 0;
  /** The values of the list that are lists. */
  readonly lists: (readonly ListValue[])[] = [];

  /** The index of `values`, built in slices. */
  static *building(values: readonly ListValue[] | BigInt64Array): Work<ValueIndex> {
    const index = new ValueIndex();
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
    } else if (this.slotOfNumber(value) < 0) this.#numbers.set(exactNumber(value), this.slots++);
  }

  /** Kinds of which the list has none: their values are not comparable with it. */
  has(kind: 'number' | 'text' | 'boolean'): boolean {
    if (kind === 'number') return this.#numbers.size > 0;
    if (kind === 'text') return this.#texts.size > 0;
    return this.#booleans[0] >= 0 || this.#booleans[1] >= 0;
  }

  /** The slot of the value, -1 when it is not in the list. */
  slotOfNumber(value: number | bigint): number {
    return this.#numbers.get(exactNumber(value)) ?? -1;
  }

  /** The slot of the UTF-8 text `bytes[start .. end)`, -1 when it is not in the list. */
  slotOfText(bytes: Uint8Array, start: number, end: number): number {
    return this.#texts.slotOf(bytes, start, end);
  }

  slotOfBoolean(value: boolean): number {
    return this.#booleans[value ? 1 : 0];
  }
}

/** One spelling for numbers that are equal: a number wherever that is exact. */
export function exactNumber(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) || BigInt(number) === value ? number : value;
}
