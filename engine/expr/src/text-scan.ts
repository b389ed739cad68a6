import type { FieldSchema, VarCharColumn } from '@elanus/model';
import type { Evaluator, Run } from './evaluator.ts';
import { type Filler, filledEvaluator } from './filled-answers.ts';
import type { LikePattern } from './like.ts';
import type { OperandLeaf } from './plan.ts';
import { equalBytes } from './text-index.ts';
import { printOfText } from './text-print.ts';
import { type TextTest, textTest } from './text-test.ts';

/**
 * The evaluator of a leaf on a VarChar column that a loop answers sooner than a call for each row; `null` when there is
 * none: texts that equal one, begin in one way, or hold some run of bytes.
 */
export function textScan(leaf: OperandLeaf, field: FieldSchema): Evaluator | null {
  const columnOf = ({ source }: Run): VarCharColumn => source.column(field.id) as VarCharColumn;
  const fill = fillerOf(leaf, field, columnOf);
  return fill === null ? null : filledEvaluator(fill, (run) => columnOf(run).validity, leaf.negated);
}

function fillerOf(
  leaf: OperandLeaf,
  field: FieldSchema,
  columnOf: (run: Run) => VarCharColumn,
): Filler | null {
  if (leaf.kind === 'compare' && leaf.operator === '==' && typeof leaf.value === 'string')
    return wholeFiller(columnOf, Buffer.from(leaf.value), ({ source }) => source.prints?.(field.id));
  if (leaf.kind !== 'like') return null;
  const { pattern } = leaf;
  const prefix = literalPrefix(pattern);
  if (prefix.length > 0) {
    const isAll = pattern.segments.length === 2 && pattern.segments[1]!.length === 0;
    const isPrefixOnly = isAll && prefix.length === pattern.segments[0]!.length;
    return beginningsFiller(columnOf, prefix, isPrefixOnly ? null : textTest(leaf)!);
  }
  const needle = longestLiteral(pattern);
  return needle.length === 0 ? null : needleFiller(columnOf, needle, textTest(leaf)!);
}

/** Rows whose text is `text`: of those with its print, where prints are known. */
function wholeFiller(
  columnOf: (run: Run) => VarCharColumn,
  text: Uint8Array,
  printsOf: (run: Run) => Uint8Array | undefined,
): Filler {
  const { length } = text;
  const print = printOfText(text, 0, length);
  // An empty text has no last byte; then the length says all.
  const last = text.at(-1) ?? 0;
  const mask = length === 0 ? 0 : 0xff;
  const middleAt = length >> 1;
  const middle = text[middleAt] ?? 0;
  return (run, answers) => {
    const { bytes, offsets } = columnOf(run);
    answers.fill(0);
    const prints = printsOf(run)?.subarray(run.start, run.end);
    if (prints !== undefined) {
      for (let i = prints.indexOf(print); i >= 0; i = prints.indexOf(print, i + 1)) {
        const row = run.start + i;
        if (equalBytes(bytes, offsets[row]!, offsets[row + 1]!, text)) answers[i] = 1;
      }
      return;
    }
    for (let row = run.start, end = offsets[row]!; row < run.end; row++) {
      const start = end;
      end = offsets[row + 1]!;
      // One branch for all, which nearly all texts take; texts often begin alike, so other bytes tell sooner.
      const differs = (bytes[end - 1]! ^ last) | (bytes[start + middleAt]! ^ middle);
      if ((((end - start) ^ length) | (differs & mask)) !== 0) continue;
      if (isAt(bytes, start, text)) answers[row - run.start] = 1;
    }
  };
}

/** Rows whose text begins with `prefix` and passes `rest`, if there is such a test. */
function beginningsFiller(
  columnOf: (run: Run) => VarCharColumn,
  prefix: Uint8Array,
  rest: TextTest | null,
): Filler {
  const { length } = prefix;
  const last = prefix[length - 1]!;
  return (run, answers) => {
    const { bytes, offsets } = columnOf(run);
    answers.fill(0);
    for (let row = run.start, end = offsets[row]!; row < run.end; row++) {
      const start = end;
      end = offsets[row + 1]!;
      if (end - start < length || bytes[start + length - 1] !== last) continue;
      if (isAt(bytes, start, prefix) && (rest === null || rest(bytes, start, end)))
        answers[row - run.start] = 1;
    }
  };
}

/** Whether `text` stands in the bytes at `start`, its last byte aside: the caller has compared that. */
function isAt(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  let at = text.length - 2;
  while (at >= 0 && bytes[start + at] === text[at]) at--;
  return at < 0;
}

/** Rows whose text passes a test that only a text with `needle` in it can pass: it is looked for in all texts at once. */
function needleFiller(columnOf: (run: Run) => VarCharColumn, needle: Uint8Array, test: TextTest): Filler {
  return (run, answers) => {
    answers.fill(0);
    const { bytes, offsets } = columnOf(run);
    const first = offsets[run.start]!;
    const texts = Buffer.from(bytes.buffer, bytes.byteOffset + first, offsets[run.end]! - first);
    let row = run.start;
    for (let found = texts.indexOf(needle); found >= 0; ) {
      const at = found + first;
      row = rowOf(offsets, at, row, run.end);
      const end = offsets[row + 1]!;
      // One that reaches into the next text is none, but that text may still begin with another.
      if (at + needle.length <= end && test(bytes, offsets[row]!, end)) answers[row - run.start] = 1;
      found = texts.indexOf(needle, (at + needle.length <= end ? end : at + 1) - first);
    }
  };
}

/** The row in `row .. rows` that has byte `at`, from where the last one was on. */
function rowOf(offsets: Uint32Array, at: number, row: number, rows: number): number {
  let step = 1;
  while (row + step < rows && offsets[row + step]! <= at) {
    row += step;
    step *= 2;
  }
  for (; step > 0; step >>= 1) if (row + step < rows && offsets[row + step]! <= at) row += step;
  return row;
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
