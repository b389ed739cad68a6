import { firstPlace, type VarCharColumn } from '@elanus/model';
import type { Run } from './evaluator.ts';
import type { RowFinder } from './row-finder.ts';
import type { TextTest } from './text-test.ts';

/** Bytes that are compared at once. */
const WORD_BYTES = 4;
/** Longer texts are compared by a call, shorter ones sooner byte by byte. */
const SHORT_BYTES = 64;
/** Rows that say where a literal is least like other texts. */
const SAMPLED_ROWS = 256;

type ColumnOf = (run: Run) => VarCharColumn;
type Rows = Pick<Run, 'start' | 'end'>;

/** Finds the rows whose text is `text`. */
export function wholeFinder(columnOf: ColumnOf, text: Uint8Array): RowFinder {
  const { length } = text;
  const isAt = bytesTest(text);
  const passes: TextTest = (bytes, start, end) => end - start === length && isAt(bytes, start);
  return finder(columnOf, text, passes, (words, offsets, rows, word, found) =>
    rowsOfLength(words, offsets, rows, { ...word, length }, found),
  );
}

/** Finds the rows whose text begins with `prefix`, and passes `rest` if there is such a test. */
export function beginningFinder(columnOf: ColumnOf, prefix: Uint8Array, rest: TextTest | null): RowFinder {
  const { length } = prefix;
  const isAt = bytesTest(prefix);
  const passes: TextTest = (bytes, start, end) =>
    end - start >= length && isAt(bytes, start) && (rest === null || rest(bytes, start, end));
  return finder(columnOf, prefix, passes, rowsOfWord);
}

/** Four bytes of a literal as a number, and which of its bits count: the literal may be shorter. */
interface LiteralWord {
  /** Where in the literal. */
  readonly place: number;
  readonly value: number;
  readonly mask: number;
}

/** Writes the rows into `found` that have a word where their text begins in `words`; returns how many. */
type FindWord = (
  words: DataView,
  offsets: Uint32Array,
  rows: Rows,
  word: LiteralWord,
  found: Uint16Array,
) => number;

/** By one of the words of `text`, all of whose rows are looked at, and a test of those that have it. */
function finder(columnOf: ColumnOf, text: Uint8Array, passes: TextTest, findWord: FindWord): RowFinder {
  const reach = Math.max(text.length, WORD_BYTES);
  let word: LiteralWord | null = null;
  return (run, found) => {
    const { start: first, end } = run;
    const column = columnOf(run);
    const { bytes, offsets } = column;
    // Behind the last texts there may be no four bytes to look at.
    const startMax = bytes.length - reach;
    const readable = first + firstPlace(end - first, (i) => offsets[first + i]! > startMax);
    let count = 0;
    if (readable > first) {
      word ??= rarestWord(column, text, { start: first, end: readable }, found);
      count = findWord(wordsFrom(bytes, word), offsets, { start: first, end: readable }, word, found);
    }
    for (let row = readable; row < end; row++) found[count++] = row - first;
    let passed = 0;
    for (let i = 0; i < count; i++) {
      const row = first + found[i]!;
      if (passes(bytes, offsets[row]!, offsets[row + 1]!)) found[passed++] = row - first;
    }
    return passed;
  };
}

/** Of the words at the beginning, the middle and the end of a text the one that the fewest of the first rows have. */
function rarestWord(
  { bytes, offsets }: VarCharColumn,
  text: Uint8Array,
  { start, end }: Rows,
  found: Uint16Array,
): LiteralWord {
  const last = Math.max(text.length - WORD_BYTES, 0);
  const rows = { start, end: Math.min(end, start + SAMPLED_ROWS) };
  let rarest = wordAt(text, last);
  let fewest = Number.POSITIVE_INFINITY;
  for (const place of new Set([last, 0, last >> 1])) {
    const word = wordAt(text, place);
    const count = rowsOfWord(wordsFrom(bytes, word), offsets, rows, word, found);
    if (count >= fewest) continue;
    rarest = word;
    fewest = count;
  }
  return rarest;
}

function wordAt(text: Uint8Array, place: number): LiteralWord {
  const bytes = new Uint8Array(WORD_BYTES);
  bytes.set(text.subarray(place, place + WORD_BYTES));
  const mask = text.length >= WORD_BYTES ? -1 : (1 << (8 * text.length)) - 1;
  return { place, value: new DataView(bytes.buffer).getInt32(0, true), mask };
}

/** Shifted, so that where a text begins is where its word is: a sum with where it begins would be worked out in doubles. */
function wordsFrom(bytes: Uint8Array, { place }: LiteralWord): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + place, bytes.length - place);
}

/** A loop without calls: those of tests, which are others in each filter, would have it compiled anew. */
function rowsOfWord(
  words: DataView,
  offsets: Uint32Array,
  { start, end }: Rows,
  { value, mask }: LiteralWord,
  found: Uint16Array,
): number {
  let count = 0;
  for (let row = start; row < end; row++)
    if (((words.getInt32(offsets[row]!, true) ^ value) & mask) === 0) found[count++] = row - start;
  return count;
}

/** Of rows whose text is so long: others are not even looked at. */
function rowsOfLength(
  words: DataView,
  offsets: Uint32Array,
  { start, end }: Rows,
  { value, mask, length }: LiteralWord & { readonly length: number },
  found: Uint16Array,
): number {
  let count = 0;
  for (let row = start, next = offsets[start]!; row < end; row++) {
    const at = next;
    next = offsets[row + 1]!;
    if (next - at !== length) continue;
    if (((words.getInt32(at, true) ^ value) & mask) === 0) found[count++] = row - start;
  }
  return count;
}

/** Whether bytes stand at a place, where there are as many. */
function bytesTest(text: Uint8Array): (bytes: Uint8Array, start: number) => boolean {
  const { length } = text;
  if (length > SHORT_BYTES)
    return (bytes, start) => Buffer.compare(bytes.subarray(start, start + length), text) === 0;
  return (bytes, start) => {
    for (let i = 0; i < length; i++) if (bytes[start + i] !== text[i]) return false;
    return true;
  };
}
