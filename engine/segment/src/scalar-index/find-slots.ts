import { type Constant, compileCondition, type LikePattern, type OperandLeaf } from '@elanus/expr';
import { type FieldId, type FieldSchema, firstPlace } from '@elanus/model';
import { type Dictionary, isTextDictionary, NO_SLOTS, numbersOf, type Slots } from './value-lists.ts';

/** A leaf that asks about one value. */
export type ValueLeaf = Extract<OperandLeaf, { kind: 'compare' | 'range' | 'in' | 'like' | 'regex' }>;

/**
 * The values of a dictionary for which a leaf, not negated, is TRUE, found by its order. `undefined` when every value
 * has to be asked: `testSlots` does that.
 */
export function findSlots(dictionary: Dictionary, leaf: ValueLeaf): Slots | undefined {
  if (leaf.operand.kind === 'arithmetic') return undefined;
  const search = searchIn(dictionary);
  switch (leaf.kind) {
    case 'compare':
      return comparedSlots(search, leaf.operator, leaf.value as Constant);
    case 'range': {
      const from = leaf.lowerOperator === '>' ? search.above(leaf.lower) : search.atLeast(leaf.lower);
      const to = leaf.upperOperator === '<' ? search.atLeast(leaf.upper) : search.above(leaf.upper);
      return stretch(from, to);
    }
    case 'in': {
      const values = numbersIn(dictionary);
      if (values === null) return listedSlots(search, leaf.values);
      // Beside a column of integers all constants are integers that it could hold.
      return listedLongs(values, BigInt64Array.from(leaf.values as Iterable<bigint>));
    }
    case 'like': {
      const [from, to] = prefixSlots(dictionary, leaf.pattern);
      return isPrefix(leaf.pattern) ? stretch(from, to) : from >= to ? NO_SLOTS : undefined;
    }
    case 'regex':
      return undefined;
  }
}

/** How many values `testSlots` has to ask. */
export function countTested(dictionary: Dictionary, leaf: ValueLeaf): number {
  if (leaf.kind !== 'like') return dictionary.length;
  const [from, to] = prefixSlots(dictionary, leaf.pattern);
  return Math.max(0, to - from);
}

/** Values that are asked between two pauses. */
const TESTED_AT_ONCE = 1024;

/** As `findSlots`, by asking value by value whatever the order can't rule out; pauses once a millisecond or so. */
export function* testingSlots(dictionary: Dictionary, leaf: ValueLeaf): Generator<undefined, Slots> {
  const [first, end] = leaf.kind === 'like' ? prefixSlots(dictionary, leaf.pattern) : [0, dictionary.length];
  const filter = compileCondition(aboutDictionary(leaf, dictionary));
  const atOnce = Math.min(TESTED_AT_ONCE, filter.rowsAtOnce ?? TESTED_AT_ONCE);
  const source = { column: () => dictionary };
  const matches = new Uint8Array(atOnce);
  const slots: [number, number][] = [];
  for (let start = first; start < end; start += atOnce) {
    const count = Math.min(atOnce, end - start);
    filter(source, start, start + count, matches);
    for (let i = 0; i < count; i++) {
      if (matches[i] === 0) continue;
      const last = slots.at(-1);
      if (last?.[1] === start + i) last[1] += 1;
      else slots.push([start + i, start + i + 1]);
    }
    yield;
  }
  return slots;
}

/** The same question about a column of the dictionary's values. */
function aboutDictionary(leaf: ValueLeaf, dictionary: Dictionary): ValueLeaf {
  const field = { id: 0 as FieldId, dataType: dictionary.dataType } as FieldSchema;
  const column = { kind: 'column', field } as const;
  const { operand } = leaf;
  return {
    ...leaf,
    negated: false,
    operand: operand.kind === 'arithmetic' ? { ...operand, of: column } : column,
  };
}

interface Search {
  readonly length: number;
  /** The first value that is not below the constant. */
  atLeast(constant: Constant): number;
  /** The first value above the constant. */
  above(constant: Constant): number;
}

function searchIn(dictionary: Dictionary): Search {
  const { length } = dictionary;
  if (isTextDictionary(dictionary)) {
    const { bytes, offsets } = dictionary;
    const order = (slot: number, text: Uint8Array): number =>
      orderOfBytes(bytes, offsets[slot]!, offsets[slot + 1]!, text);
    return {
      length,
      atLeast: (constant) =>
        bytesSearch(constant, (text) => firstPlace(length, (slot) => order(slot, text) >= 0)),
      above: (constant) =>
        bytesSearch(constant, (text) => firstPlace(length, (slot) => order(slot, text) > 0)),
    };
  }
  const values = numbersOf(dictionary);
  if (values instanceof BigInt64Array) return searchInLongs(values, length);
  return {
    length,
    atLeast: (constant) => {
      const number = numberOf(constant);
      return firstPlace(length, (slot) => values[slot]! >= number);
    },
    above: (constant) => {
      const number = numberOf(constant);
      return firstPlace(length, (slot) => values[slot]! > number);
    },
  };
}

/** By halves: a bigint for each value that is looked at would take several times as long. */
function searchInLongs(values: BigInt64Array, length: number): Search {
  const halves = halvesIn(values.subarray(0, length));
  const search = (constant: Constant, isAbove: boolean): number => {
    const value = numberOf(constant);
    // Constants beside a column of integers are integers; one that no column can hold is beyond all of them.
    const integer = typeof value === 'bigint' ? value : BigInt(Math.floor(value));
    if (BigInt.asIntN(64, integer) !== integer) return integer < 0n ? 0 : length;
    const low = Number(BigInt.asUintN(32, integer));
    const high = Number(BigInt.asIntN(32, integer >> 32n));
    let from = 0;
    let to = length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const upper = halves[2 * middle + 1]!;
      const lower = halves[2 * middle]! >>> 0;
      const isBelow = upper < high || (upper === high && (lower < low || (isAbove && lower === low)));
      if (isBelow) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  return {
    length,
    atLeast: (constant) => search(constant, false),
    above: (constant) => search(constant, true),
  };
}

/** The integers of 64 bits of a dictionary; `null` when it has others. */
function numbersIn(dictionary: Dictionary): BigInt64Array | null {
  if (isTextDictionary(dictionary)) return null;
  const values = numbersOf(dictionary);
  return values instanceof BigInt64Array ? values.subarray(0, dictionary.length) : null;
}

/** In ascending order, for which `listed` is sorted; each from where the one before it was found, by steps that double. */
function listedLongs(values: BigInt64Array, listed: BigInt64Array): Slots {
  const wanted = halvesIn(listed.sort());
  const halves = halvesIn(values);
  const { length } = values;
  const slots: [number, number][] = [];
  let at = 0;
  for (let i = 0; i < wanted.length && at < length; i += 2) {
    const low = wanted[i]! >>> 0;
    const high = wanted[i + 1]!;
    const isBelow = (slot: number): boolean => {
      const upper = halves[2 * slot + 1]!;
      return upper < high || (upper === high && halves[2 * slot]! >>> 0 < low);
    };
    let step = 1;
    while (at + step < length && isBelow(at + step)) step *= 2;
    const from = at + (step >> 1);
    at = from + firstPlace(Math.min(at + step, length) - from, (place) => !isBelow(from + place));
    if (at === length || halves[2 * at]! !== wanted[i] || halves[2 * at + 1]! !== high) continue;
    const last = slots.at(-1);
    if (last?.[1] === at) last[1] += 1;
    else if (last === undefined || last[1] < at) slots.push([at, at + 1]);
  }
  return slots;
}

function halvesIn(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
}

function bytesSearch(constant: Constant, search: (text: Uint8Array) => number): number {
  return search(Buffer.from(constant as string));
}

/** JavaScript compares bigints with numbers exactly; booleans count as 0 and 1, as columns hold them. */
function numberOf(constant: Constant): number | bigint {
  return typeof constant === 'boolean' ? Number(constant) : (constant as number | bigint);
}

function comparedSlots(search: Search, operator: string, constant: Constant): Slots {
  switch (operator) {
    case '<':
      return stretch(0, search.atLeast(constant));
    case '<=':
      return stretch(0, search.above(constant));
    case '>':
      return stretch(search.above(constant), search.length);
    case '>=':
      return stretch(search.atLeast(constant), search.length);
    default: {
      const from = search.atLeast(constant);
      const to = search.above(constant);
      if (operator === '==') return stretch(from, to);
      return [...stretch(0, from), ...stretch(to, search.length)];
    }
  }
}

function listedSlots(search: Search, values: Iterable<Constant>): Slots {
  const found = new Set<number>();
  for (const value of values) {
    const slot = search.atLeast(value);
    if (slot < search.length && !found.has(slot) && search.above(value) > slot) found.add(slot);
  }
  const slots = Uint32Array.from(found).sort();
  const joined: [number, number][] = [];
  for (const slot of slots) {
    const last = joined.at(-1);
    if (last?.[1] === slot) last[1] += 1;
    else joined.push([slot, slot + 1]);
  }
  return joined;
}

function stretch(from: number, to: number): Slots {
  return from < to ? [[from, to]] : NO_SLOTS;
}

/** Whether the pattern asks for nothing but how a text begins, or for one text. */
function isPrefix({ segments }: LikePattern): boolean {
  const isLiteral = segments[0]!.every((unit) => unit >= 0);
  return isLiteral && (segments.length === 1 || (segments.length === 2 && segments[1]!.length === 0));
}

/** The texts that begin as the pattern does, up to its first wildcard. */
function prefixSlots(dictionary: Dictionary, pattern: LikePattern): readonly [number, number] {
  if (!isTextDictionary(dictionary)) return [0, 0];
  const { bytes, offsets, length } = dictionary;
  const [segment] = pattern.segments as readonly [readonly number[]];
  const wild = segment.findIndex((unit) => unit < 0);
  const prefix = Uint8Array.from(wild < 0 ? segment : segment.slice(0, wild));
  const order = (slot: number, lengthMax: number): number => {
    const start = offsets[slot]!;
    return orderOfBytes(bytes, start, Math.min(offsets[slot + 1]!, start + lengthMax), prefix);
  };
  const from = firstPlace(length, (slot) => order(slot, prefix.length) >= 0);
  // Without any wildcard the prefix is the whole text.
  const isWhole = pattern.segments.length === 1 && wild < 0;
  const to = firstPlace(length, (slot) => order(slot, isWhole ? Number.MAX_SAFE_INTEGER : prefix.length) > 0);
  return [from, to];
}

/** Negative, 0 or positive as the text is below, equal to or above `other`, byte by byte. */
export function orderOfBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): number {
  const length = Math.min(end - start, other.length);
  for (let i = 0; i < length; i++) if (bytes[start + i] !== other[i]) return bytes[start + i]! - other[i]!;
  return end - start - other.length;
}
