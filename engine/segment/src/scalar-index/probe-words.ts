import type { Leaf } from '@elanus/expr';
import type { Probe } from './probe-values.ts';
import { bytesOfBits, type ScalarIndexData, type WordPart } from './scalar-index.ts';
import { wordsOfPart } from './word-lookup.ts';

/** Nanoseconds for each time that a word occurs. */
const STEP_COST = 2;
/** Occurrences that are gone through between two yields. */
const SLICE = 65_536;

/** Which rows have the words of a `text_match`, exactly, and which may hold the phrase of a `phrase_match`. */
export function probeWords({ spec, rows }: ScalarIndexData, part: WordPart, leaf: Leaf): Probe | null {
  if (leaf.kind !== 'text-match' && leaf.kind !== 'phrase-match') return null;
  if (spec.kind !== 'words' || leaf.negated) return null;
  if (leaf.field.id !== spec.place.fieldId || leaf.analyzer !== spec.analyzer) return null;
  if (leaf.kind === 'phrase-match')
    return probePhrase(
      part,
      leaf.words.map(({ text }) => text),
    );
  return leaf.editsMax > 0 ? null : probeTokens(part, leaf, rows);
}

interface Tokens {
  readonly tokens: readonly string[];
  readonly countMin: number;
}

function probeTokens(part: WordPart, { tokens, countMin }: Tokens, rows: number): Probe {
  const words = wordsOfPart(part);
  const numbers = tokens.map((token) => words.numberOf(token)).filter((number) => number >= 0);
  if (numbers.length < countMin || tokens.length === 0) return NONE;
  const steps = numbers.reduce((sum, number) => sum + words.occurrences(number), 0);
  return {
    cost: steps * STEP_COST + (countMin > 1 ? bytesOfBits(rows) : 0),
    rows: Math.floor(steps / countMin),
    isExact: true,
    marking: (bits) =>
      countMin === 1 ? markingAny(part, numbers, bits) : markingMany(part, numbers, countMin, bits),
  };
}

const NONE: Probe = { cost: 0, rows: 0, isExact: true, *marking() {} };

function* markingAny(
  { starts, rows }: WordPart,
  numbers: readonly number[],
  bits: Uint8Array,
): Generator<undefined, void> {
  for (const number of numbers) {
    const end = starts[number + 1]!;
    for (let at = starts[number]!; at < end; at++) {
      if (at % SLICE === SLICE - 1) yield;
      const row = rows[at]!;
      bits[row >>> 3]! |= 1 << (row & 7);
    }
  }
}

/** Marks rows that have so many of the words: more than one, and no more than 65,535 are counted. */
function* markingMany(
  { starts, rows }: WordPart,
  numbers: readonly number[],
  countMin: number,
  bits: Uint8Array,
): Generator<undefined, void> {
  const counts = new Uint16Array(8 * bits.length);
  for (const number of numbers) {
    const end = starts[number + 1]!;
    for (let at = starts[number]!, last = -1; at < end; at++) {
      if (at % SLICE === SLICE - 1) yield;
      const row = rows[at]!;
      if (row === last) continue;
      last = row;
      if (++counts[row]! === countMin) bits[row >>> 3]! |= 1 << (row & 7);
    }
  }
}

/** Where the rarest word is not, the phrase is not. */
function probePhrase(part: WordPart, phrase: readonly string[]): Probe {
  const words = wordsOfPart(part);
  const numbers = phrase.map((word) => words.numberOf(word));
  if (numbers.length === 0 || numbers.includes(-1)) return NONE;
  const rarest = numbers.reduce((a, b) => (words.occurrences(b) < words.occurrences(a) ? b : a));
  const steps = words.occurrences(rarest);
  return {
    cost: steps * STEP_COST,
    rows: steps,
    isExact: false,
    marking: (bits) => markingAny(part, [rarest], bits),
  };
}
