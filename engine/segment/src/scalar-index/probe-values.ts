import { type Constant, costOfRow, type Leaf, type OperandLeaf, type PathOperand } from '@elanus/expr';
import type { FieldSchema } from '@elanus/model';
import { countTested, findSlots, testingSlots, type ValueLeaf } from './find-slots.ts';
import type { IndexedPlace, ListedKind, ScalarIndexData, ValuePart } from './scalar-index.ts';
import {
  countRows,
  hasCommon,
  isOfLongs,
  joinBits,
  markRows,
  otherSlots,
  rowsOfSlots,
  type Slots,
  type ValueLists,
} from './value-lists.ts';

/** Of so many rows of an index one is listed; when there are more, they are sooner marked than put in order. */
export const ROWS_PER_LISTED = 256;

/** An answer that an index can give. */
export interface Probe {
  /** About how long it takes, in nanoseconds. */
  readonly cost: number;
  /** About how many rows it names. */
  readonly rows: number;
  /** Whether the rows named are exactly those for which the leaf is TRUE; else some of them are not, and none is missing. */
  readonly isExact: boolean;
  /** The rows themselves, ascending, each once; left out where it is quicker to mark them. */
  readonly listing?: () => Uint32Array;
  /** Sets the bits of the rows, and leaves all others as they are; `bits` has a byte for every 8 rows of the index. */
  marking(bits: Uint8Array): Generator<undefined, void>;
}

/** Nanoseconds: to set a bit of a row in a list, to look one constant up, to go through 8 rows of a bitmap. */
const MARK_COST = 1.5;
const LOOK_UP_COST = 200;
const BYTE_COST = 0.3;
/** Lists of up to so many constants are looked up while planning, to know exactly how many rows they name. */
const LOOKED_UP_MAX = 16;
/** What is known of a question that was not asked yet. */
const GUESSED_SHARE = 0.1;

/** Whether `operand` is what the index is over. */
export function isAtPlace(
  operand: { readonly kind: string; readonly field?: FieldSchema; readonly steps?: readonly string[] },
  { fieldId, steps }: IndexedPlace,
): boolean {
  if (operand.field?.id !== fieldId) return false;
  if (steps === null) return operand.kind === 'column';
  if (operand.kind !== 'path') return false;
  const { steps: asked } = operand as PathOperand;
  return asked.length === steps.length && steps.every((step, at) => step === asked[at]);
}

export function probeValues(index: ScalarIndexData, part: ValuePart, leaf: Leaf): Probe | null {
  const { place } = index.spec;
  if (leaf.kind === 'contains') {
    if (part.of === 'value' || !isAtPlace(leaf.operand, place)) return null;
    return probeElements(index, part, leaf);
  }
  if (part.of === 'elements' || !isValueLeaf(leaf)) return null;
  const { operand } = leaf;
  const of = operand.kind === 'arithmetic' ? operand.of : operand;
  if (!isAtPlace(of, place)) return null;
  // Numbers in documents keep how they were written, which arithmetic asks about and lists don't know.
  if (operand.kind === 'arithmetic' && place.steps !== null) return null;
  const parts = partsByKind(part, leaf, place);
  return parts === null ? null : joined(index, part, parts);
}

function isValueLeaf(leaf: Leaf): leaf is ValueLeaf {
  switch (leaf.kind) {
    case 'compare':
      return typeof leaf.value !== 'object';
    case 'range':
    case 'in':
    case 'like':
    case 'regex':
      return true;
    default:
      return false;
  }
}

/** One question to one dictionary. */
interface Question {
  readonly lists: ValueLists;
  readonly leaf: ValueLeaf;
}

/** The leaf as questions to the dictionaries of the kinds that it is about; `null` when one of them was not indexed. */
function partsByKind(part: ValuePart, leaf: ValueLeaf, { steps }: IndexedPlace): readonly Question[] | null {
  if (steps === null) {
    const [lists] = Object.values(part.lists);
    return lists === undefined ? null : [{ lists, leaf }];
  }
  const questions: Question[] = [];
  for (const [kind, ofKind] of splitByKind(leaf)) {
    const lists = part.lists[kind];
    if (lists === undefined) return null;
    questions.push({ lists, leaf: ofKind });
  }
  // A list without values can be compared with everything: with more than was indexed.
  return questions.length === 0 ? null : questions;
}

/** A row's value is compared with the constants of its own kind alone. */
function splitByKind(leaf: ValueLeaf): readonly (readonly [ListedKind, ValueLeaf])[] {
  if (leaf.kind !== 'in') return [[kindOfLeaf(leaf), leaf]];
  if (leaf.values instanceof BigInt64Array) return [['number', leaf]];
  const kinds = new Map<ListedKind, Constant[]>();
  for (const value of leaf.values) {
    const kind = kindOf(value);
    const known = kinds.get(kind);
    if (known === undefined) kinds.set(kind, [value]);
    else known.push(value);
  }
  return Array.from(kinds, ([kind, values]) => [kind, { ...leaf, values }]);
}

function kindOfLeaf(leaf: Exclude<ValueLeaf, { kind: 'in' }>): ListedKind {
  if (leaf.kind === 'compare') return kindOf(leaf.value as Constant);
  return leaf.kind === 'range' ? kindOf(leaf.lower) : 'text';
}

function kindOf(value: unknown): ListedKind {
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' ? 'boolean' : 'number';
}

/** The questions' answers together: no row has values of two kinds. */
function joined(index: ScalarIndexData, part: ValuePart, questions: readonly Question[]): Probe {
  const answers = questions.map(answerOf);
  const { unsure } = part;
  const bytes = Math.ceil(index.rows / 8);
  const listing = answers.length === 1 && unsure.length === 0 ? listingOf(index, answers[0]!) : null;
  return {
    ...(listing === null ? {} : { listing }),
    cost: answers.reduce((sum, { cost }) => sum + cost, 0) + unsure.length * MARK_COST + bytes * BYTE_COST,
    rows: answers.reduce((sum, { rows }) => sum + rows, unsure.length),
    isExact: unsure.length === 0,
    *marking(bits) {
      for (const { lists, slots } of answers)
        yield* marking(lists, typeof slots === 'function' ? yield* slots() : slots, bits);
      for (const row of unsure) bits[row >>> 3]! |= 1 << (row & 7);
    },
  };
}

/** Lists the rows of an answer that are few, or those of one value; none of the values is a common one. */
function listingOf(index: ScalarIndexData, { lists, slots, rows }: FoundAnswer): (() => Uint32Array) | null {
  if (typeof slots === 'function' || slots.length === 0) return null;
  const isOne = slots.length === 1 && slots[0]![1] - slots[0]![0] === 1;
  if (!isOne && rows * ROWS_PER_LISTED > index.rows) return null;
  // A common value has a bitmap instead.
  if (hasCommon(lists, slots)) return null;
  return () => {
    const listed = rowsOfSlots(lists, slots);
    return isOne ? listed : listed.sort();
  };
}

interface FoundAnswer {
  readonly lists: ValueLists;
  readonly rows: number;
  /** The values for which the question, negated or not, is answered by TRUE; or what finds them. */
  readonly slots: Slots | (() => Generator<undefined, Slots>);
}

interface Answer extends FoundAnswer {
  readonly cost: number;
}

function answerOf({ lists, leaf }: Question): Answer {
  const { dictionary } = lists;
  const { length } = dictionary;
  const wanted = (slots: Slots): Slots => (leaf.negated ? otherSlots(slots, length) : slots);
  const total = countRows(lists, [[0, length]]);
  if (leaf.kind === 'in' && leaf.values.length > LOOKED_UP_MAX) {
    const { values } = leaf;
    const found = Math.min(total, (total / Math.max(length, 1)) * values.length);
    const rows = leaf.negated ? total - found : found;
    const cost = values.length * LOOK_UP_COST + rows * MARK_COST;
    return { lists, cost, rows, slots: () => findingListed(lists, leaf, wanted) };
  }
  const slots = findSlots(dictionary, leaf);
  if (slots === undefined) {
    const rows = total * GUESSED_SHARE;
    const cost = countTested(dictionary, leaf) * costOfRow(leaf) + rows * MARK_COST;
    return { lists, cost, rows, slots: () => findingTested(lists, leaf, wanted) };
  }
  const found = wanted(slots);
  const rows = countRows(lists, found);
  return { lists, cost: LOOK_UP_COST + rows * MARK_COST, rows, slots: found };
}

function* findingTested(
  { dictionary }: ValueLists,
  leaf: ValueLeaf,
  wanted: (slots: Slots) => Slots,
): Generator<undefined, Slots> {
  return wanted(yield* testingSlots(dictionary, leaf));
}

/** Constants that are looked up between two pauses; integers are put in order first, which makes each a step or two. */
const LOOKED_UP_AT_ONCE = 1_024;
const LONGS_AT_ONCE = 16_384;

function* findingListed(
  lists: ValueLists,
  leaf: Extract<ValueLeaf, { kind: 'in' }>,
  wanted: (slots: Slots) => Slots,
): Generator<undefined, Slots> {
  const found: (readonly [number, number])[] = [];
  const { values } = leaf;
  const atOnce = isOfLongs(lists.dictionary) ? LONGS_AT_ONCE : LOOKED_UP_AT_ONCE;
  for (let at = 0; at < values.length; at += atOnce) {
    if (at > 0) yield;
    const some = { ...leaf, values: values.slice(at, at + atOnce) };
    const slots = findSlots(lists.dictionary, some)!;
    if (values.length <= atOnce) return wanted(slots);
    for (const slot of slots) found.push(slot);
  }
  return wanted(inOrder(found));
}

/** Sorted, those that meet joined. */
function inOrder(stretches: (readonly [number, number])[]): Slots {
  stretches.sort((a, b) => a[0] - b[0]);
  const joinedSlots: [number, number][] = [];
  for (const [from, to] of stretches) {
    const last = joinedSlots.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joinedSlots.push([from, to]);
  }
  return joinedSlots;
}

/** Rows that are marked between two pauses. */
const MARKED_AT_ONCE = 262_144;

function* marking(lists: ValueLists, slots: Slots, bits: Uint8Array): Generator<undefined, void> {
  let group: (readonly [number, number])[] = [];
  let rows = 0;
  for (const slot of slots) {
    group.push(slot);
    rows += lists.starts[slot[1]]! - lists.starts[slot[0]]!;
    if (rows < MARKED_AT_ONCE) continue;
    markRows(lists, group, bits);
    group = [];
    rows = 0;
    yield;
  }
  markRows(lists, group, bits);
}

type ContainsLeaf = Extract<OperandLeaf, { kind: 'contains' }>;

/** Whether arrays hold some, or all, of the values. */
function probeElements(index: ScalarIndexData, part: ValuePart, leaf: ContainsLeaf): Probe | null {
  const found: { readonly lists: ValueLists; readonly slots: Slots; readonly rows: number }[] = [];
  for (const value of leaf.values) {
    if (typeof value === 'object') return null;
    const lists = index.spec.place.steps === null ? Object.values(part.lists)[0] : part.lists[kindOf(value)];
    if (lists === undefined) return null;
    const equal = { kind: 'compare', operator: '==', value, negated: false, operand: leaf.operand } as const;
    const slots = findSlots(lists.dictionary, equal as ValueLeaf)!;
    found.push({ lists, slots, rows: countRows(lists, slots) });
  }
  const bytes = Math.ceil(index.rows / 8);
  const listed = found.reduce((sum, { rows }) => sum + rows, 0);
  const matching =
    leaf.mode === 'any'
      ? Math.min(listed, index.rows)
      : Math.min(index.rows, ...found.map(({ rows }) => rows));
  const cost = found.length * LOOK_UP_COST + listed * MARK_COST;
  const passes = leaf.mode === 'any' ? 1 : found.length;
  const hasUnsure = part.unsure.length > 0;
  const isPlain = found.length === 1 && !leaf.negated && !hasUnsure;
  const listing = isPlain ? listingOf(index, found[0]!) : null;
  // Rows that lists say nothing of would have to be left out of what is not there, too.
  if (leaf.negated && hasUnsure) return null;
  return {
    ...(listing === null ? {} : { listing }),
    cost: cost + passes * bytes * BYTE_COST * 2 + part.unsure.length * MARK_COST,
    rows: (leaf.negated ? index.rows - matching : matching) + part.unsure.length,
    isExact: !hasUnsure,
    *marking(bits) {
      const isAny = leaf.mode === 'any' || found.length === 1;
      // What takes rows away does so on the side: what is there may be of other terms of an OR.
      const marked = isAny && !leaf.negated ? bits : new Uint8Array(bits.length);
      if (isAny) for (const { lists, slots } of found) yield* marking(lists, slots, marked);
      else yield* markingAll(found, part, marked);
      if (leaf.negated) for (let i = 0; i < bytes; i++) marked[i] = ~marked[i]! & part.arrays![i]!;
      if (marked !== bits) joinBits(bits, marked);
      for (const row of part.unsure) bits[row >>> 3]! |= 1 << (row & 7);
    },
  };
}

function* markingAll(
  found: readonly { readonly lists: ValueLists; readonly slots: Slots }[],
  { arrays }: ValuePart,
  bits: Uint8Array,
): Generator<undefined, void> {
  bits.set(arrays!);
  const one = new Uint8Array(bits.length);
  for (const { lists, slots } of found) {
    one.fill(0);
    yield* marking(lists, slots, one);
    for (let i = 0; i < bits.length; i++) bits[i]! &= one[i]!;
    yield;
  }
}
