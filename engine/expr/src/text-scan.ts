import type { FieldSchema, VarCharColumn } from '@elanus/model';
import type { BitEvaluator, Evaluator, Run } from './evaluator.ts';
import type { LikePattern } from './like.ts';
import { beginningFinder, wholeFinder } from './literal-finder.ts';
import type { Leaf, OperandLeaf } from './plan.ts';
import { findingBits, findingEvaluator, type RowFinder, rowOfPlace } from './row-finder.ts';
import { type TextTest, textTest } from './text-test.ts';

/**
 * The evaluator of a leaf on a VarChar column that a loop answers sooner than a call for each row; `null` when there is
 * none: texts that equal one, begin in one way, or hold some run of bytes.
 */
export function textScan(leaf: OperandLeaf, field: FieldSchema): Evaluator | null {
  const columnOf = columnOfField(field);
  const find = finderOf(leaf, columnOf);
  return find === null ? null : findingEvaluator(find, (run) => columnOf(run).validity, leaf.negated);
}

/** The same in bits. */
export function textBits(leaf: OperandLeaf, field: FieldSchema): BitEvaluator | null {
  const columnOf = columnOfField(field);
  const find = finderOf(leaf, columnOf);
  return find === null ? null : findingBits(find, (run) => columnOf(run).validity, leaf.negated);
}

function columnOfField({ id }: FieldSchema): (run: Run) => VarCharColumn {
  return ({ source }) => source.column(id) as VarCharColumn;
}

/** Longer texts take long to be compared where many rows have them. */
const SHORT_LENGTH_MAX = 64;

/** Whether a leaf asks for nothing but that a text equals a short one, or begins with it: a few nanoseconds a row. */
export function isOfShortLiteral(leaf: Leaf): boolean {
  if (leaf.kind === 'compare')
    return leaf.operator === '==' && typeof leaf.value === 'string' && leaf.value.length <= SHORT_LENGTH_MAX;
  if (leaf.kind !== 'like') return false;
  const [first, last, more] = leaf.pattern.segments;
  if (first!.length > SHORT_LENGTH_MAX || first!.some((unit) => unit < 0)) return false;
  return last === undefined || (first!.length > 0 && last.length === 0 && more === undefined);
}

/** What a leaf spells out: bytes that a text is, begins with, or holds; `null` when it spells out nothing. */
type SpelledOut =
  | { readonly kind: 'whole'; readonly text: Uint8Array }
  /** `isAll`: nothing else is asked of the text. */
  | { readonly kind: 'beginning'; readonly text: Uint8Array; readonly isAll: boolean }
  | { readonly kind: 'within'; readonly text: Uint8Array };

function spelledOut(leaf: OperandLeaf): SpelledOut | null {
  if (leaf.kind === 'compare' && leaf.operator === '==' && typeof leaf.value === 'string')
    return { kind: 'whole', text: Buffer.from(leaf.value) };
  if (leaf.kind !== 'like') return null;
  const { segments } = leaf.pattern;
  const prefix = literalPrefix(leaf.pattern);
  if (segments.length === 1 && prefix.length === segments[0]!.length) return { kind: 'whole', text: prefix };
  if (prefix.length > 0) {
    const endsOpen = segments.length === 2 && segments[1]!.length === 0;
    return { kind: 'beginning', text: prefix, isAll: endsOpen && prefix.length === segments[0]!.length };
  }
  const needle = longestLiteral(leaf.pattern);
  return needle.length === 0 ? null : { kind: 'within', text: needle };
}

function finderOf(leaf: OperandLeaf, columnOf: (run: Run) => VarCharColumn): RowFinder | null {
  const spelled = spelledOut(leaf);
  switch (spelled?.kind) {
    case undefined:
      return null;
    case 'whole':
      return wholeFinder(columnOf, spelled.text);
    case 'beginning':
      return beginningFinder(columnOf, spelled.text, spelled.isAll ? null : textTest(leaf)!);
    case 'within':
      return needleFinder(columnOf, spelled.text, textTest(leaf)!);
  }
}

/** Rows whose text passes a test that only a text with `needle` in it can pass: it is looked for in all texts at once. */
function needleFinder(columnOf: (run: Run) => VarCharColumn, needle: Uint8Array, test: TextTest): RowFinder {
  return (run, found) => {
    const { bytes, offsets } = columnOf(run);
    const first = offsets[run.start]!;
    const texts = Buffer.from(bytes.buffer, bytes.byteOffset + first, offsets[run.end]! - first);
    let count = 0;
    let row = run.start;
    for (let place = texts.indexOf(needle); place >= 0; ) {
      const at = place + first;
      row = rowOfPlace(offsets, at, row, run.end);
      const end = offsets[row + 1]!;
      // One that reaches into the next text is none, but that text may still begin with another.
      const isWithin = at + needle.length <= end;
      if (isWithin && test(bytes, offsets[row]!, end)) found[count++] = row - run.start;
      place = texts.indexOf(needle, (isWithin ? end : at + 1) - first);
    }
    return count;
  };
}

function literalPrefix({ segments }: LikePattern): Uint8Array {
  const [segment] = segments as readonly [readonly number[]];
  const wild = segment.findIndex((unit) => unit < 0);
  return Uint8Array.from(wild < 0 ? segment : segment.slice(0, wild));
}

function longestLiteral({ segments }: LikePattern): Uint8Array {
  let longest: number[] = [];
  for (const segment of segments) {
    let run: number[] = [];
    for (const unit of segment) {
      run = unit < 0 ? [] : [...run, unit];
      if (run.length > longest.length) longest = run;
    }
  }
  return Uint8Array.from(longest);
}
