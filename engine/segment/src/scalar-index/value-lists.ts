import type { ElementColumn, NumericColumn, VarCharColumn } from '@elanus/model';
import { firstAtLeast } from '../first-at-least.ts';

/** Values in ascending order, each once: numbers by value, texts by their bytes. None is null, none is NaN. */
export type Dictionary = Omit<ElementColumn, 'validity'> & ElementColumn;

/**
 * For each value of a dictionary the rows that have it. Plain data over typed arrays, which may lie in shared memory or
 * in a mapped file.
 */
export interface ValueLists {
  readonly dictionary: Dictionary;
  /** The rows of value i are `rows[starts[i] .. starts[i + 1])`, ascending, unless it is a common one. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
  /** Values, ascending, that so many rows have that a bitmap is shorter than their list. */
  readonly common: Uint32Array;
  /** How many rows have each of them, and those before it. */
  readonly commonCounts: Uint32Array;
  /** Their bitmaps, one behind the other, `bytesOfBits(rows of the index)` each. */
  readonly commonBits: Uint8Array;
}

/** Values `from .. to` of a dictionary, and those of the next pair, ascending and apart. */
export type Slots = readonly (readonly [from: number, to: number])[];

export const NO_SLOTS: Slots = [];

export function isTextDictionary(dictionary: Dictionary): dictionary is VarCharColumn {
  return 'offsets' in dictionary;
}

/** Whether it is one of integers of 64 bits. */
export function isOfLongs(dictionary: Dictionary): boolean {
  return !isTextDictionary(dictionary) && numbersOf(dictionary) instanceof BigInt64Array;
}

export function numbersOf(dictionary: Dictionary): NumericColumn['values'] {
  return (dictionary as NumericColumn).values;
}

/** Every value that is not among `slots`. */
export function otherSlots(slots: Slots, length: number): Slots {
  const others: [number, number][] = [];
  let at = 0;
  for (const [from, to] of slots) {
    if (from > at) others.push([at, from]);
    at = to;
  }
  if (at < length) others.push([at, length]);
  return others;
}

/** How many rows `mark` would set, a row that has several of the values counted for each. */
export function countRows(lists: ValueLists, slots: Slots): number {
  const { starts, common, commonCounts } = lists;
  let count = 0;
  for (const [from, to] of slots) {
    count += starts[to]! - starts[from]!;
    if (common.length === 0) continue;
    const first = firstAtLeast(common, from);
    const end = firstAtLeast(common, to);
    if (end > first) count += commonCounts[end - 1]! - (first === 0 ? 0 : commonCounts[first - 1]!);
  }
  return count;
}

/** Whether some of the values are so common that they have a bitmap. */
export function hasCommon({ common }: ValueLists, slots: Slots): boolean {
  if (common.length === 0) return false;
  return slots.some(([from, to]) => {
    const first = firstAtLeast(common, from);
    return first < common.length && common[first]! < to;
  });
}

/** A copy of the lists of some values, none of them a common one, one behind the other. */
export function rowsOfSlots({ starts, rows }: ValueLists, slots: Slots): Uint32Array<ArrayBuffer> {
  const listed = new Uint32Array(slots.reduce((sum, [from, to]) => sum + starts[to]! - starts[from]!, 0));
  let at = 0;
  for (const [from, to] of slots) {
    listed.set(rows.subarray(starts[from]!, starts[to]!), at);
    at += starts[to]! - starts[from]!;
  }
  return listed;
}

/** Sets the bits of the rows that have one of the values. `bits` has a byte for every 8 rows of the index, or more. */
export function markRows(lists: ValueLists, slots: Slots, bits: Uint8Array): void {
  const { starts, rows, common, commonBits } = lists;
  const bytesOfCommon = commonBits.length / Math.max(common.length, 1);
  for (const [from, to] of slots) {
    const end = starts[to]!;
    for (let i = starts[from]!; i < end; i++) {
      const row = rows[i]!;
      bits[row >>> 3]! |= 1 << (row & 7);
    }
    if (common.length === 0) continue;
    for (let i = firstAtLeast(common, from); i < common.length && common[i]! < to; i++)
      joinBits(bits, commonBits.subarray(i * bytesOfCommon, (i + 1) * bytesOfCommon));
  }
}

/** Joins `other`, which is no longer, into `bits`. */
export function joinBits(bits: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < other.length; i++) bits[i]! |= other[i]!;
}

/** Bytes of all arrays. */
export function bytesOfLists({
  dictionary,
  starts,
  rows,
  common,
  commonCounts,
  commonBits,
}: ValueLists): number {
  const values = isTextDictionary(dictionary)
    ? dictionary.bytes.byteLength + dictionary.offsets.byteLength
    : numbersOf(dictionary).byteLength;
  const lists = starts.byteLength + rows.byteLength;
  return values + lists + common.byteLength + commonCounts.byteLength + commonBits.byteLength;
}
