import { assert, type FieldSchema } from '@elanus/model';
import { decidedValue, type Evaluator, RUN_ROWS_MAX, type Run } from './evaluator.ts';
import type { PhraseMatchLeaf, TextMatchLeaf } from './plan.ts';
import type { PlacedWord, WordIndex } from './word-index.ts';

/** The evaluator of `text_match`, which counts the words that each row has. */
export function textMatchEvaluator(leaf: TextMatchLeaf): Evaluator {
  const { field, tokens, countMin, editsMax, negated } = leaf;
  if (editsMax > 0) return fuzzyMatchEvaluator(leaf);
  const isPossible = tokens.length >= countMin;
  return overWords(field, negated, (index, { start, end }, matches) => {
    if (!isPossible) return;
    const counts = foundWords.fill(0, 0, end - start);
    for (const token of tokens) {
      let last = -1;
      index.visit(token, start, end, (row) => {
        if (row === last) return;
        last = row;
        if (++counts[row - start]! === countMin) matches[row - start] = 1;
      });
    }
  });
}

/** The evaluator of `text_match_fuzzy`: any word that is like any of the tokens will do. */
function fuzzyMatchEvaluator(leaf: TextMatchLeaf): Evaluator {
  return overWords(leaf.field, leaf.negated, (index, { start, end }, matches) => {
    index.visitLike(leaf, start, end, (row) => {
      matches[row - start] = 1;
    });
  });
}

/** The evaluator of `phrase_match`. */
export function phraseMatchEvaluator({ field, words, slop, negated }: PhraseMatchLeaf): Evaluator {
  return overWords(field, negated, (index, { start, end }, matches) => {
    if (words.length === 0) return;
    const found = words.map(({ text }) => occurrencesOf(index, text, start, end));
    // Where the rarest word is not, the phrase is not.
    const rarest = found.reduce((a, b) => (b.length < a.length ? b : a));
    for (const row of rarest.keys()) {
      const places = found.map((rows) => rows.get(row));
      if (holdsPhrase(places, words, slop)) matches[row - start] = 1;
    }
  });
}

/** Of one run: evaluation is synchronous, so nobody else is there. */
const foundWords = new Uint16Array(RUN_ROWS_MAX);
const matched = new Uint8Array(RUN_ROWS_MAX);

/** `mark` sets the bytes of rows that match; a row without a text matches neither way. */
function overWords(
  field: FieldSchema,
  negated: boolean,
  mark: (index: WordIndex, run: Run, matches: Uint8Array) => void,
): Evaluator {
  return (run, out, mode) => {
    const { source, start } = run;
    const index = source.words?.(field.id);
    assert(index !== undefined, `the words of field ${field.name} were looked up before`);
    const matches = matched.fill(0, 0, out.length);
    mark(index, run, matches);
    const { validity } = source.column(field.id);
    const decided = decidedValue(mode);
    const wanted = negated ? 0 : 1;
    for (let i = 0; i < out.length; i++) {
      if (out[i] === decided) continue;
      out[i] = matches[i] === wanted && (validity === null || validity[start + i] === 1) ? 1 : 0;
    }
  };
}

/** The places of a word by row. */
class Occurrences {
  readonly #rows = new Map<number, number[]>();
  length = 0;

  add(row: number, position: number): void {
    this.length += 1;
    const places = this.#rows.get(row);
    if (places === undefined) this.#rows.set(row, [position]);
    else places.push(position);
  }

  get(row: number): readonly number[] {
    return this.#rows.get(row) ?? [];
  }

  keys(): Iterable<number> {
    return this.#rows.keys();
  }
}

function occurrencesOf(index: WordIndex, word: string, start: number, end: number): Occurrences {
  const found = new Occurrences();
  index.visit(word, start, end, (row, position) => found.add(row, position));
  return found;
}

/**
 * Whether there is a place for each word such that the places, each seen from where the phrase would put it, differ by
 * `slop` in all from one word to the next. So a word between two of them costs 1, and two words in the wrong order cost
 * 2. Two equal words may find the same place, as in Tantivy. `places` has those of each word, ascending.
 */
function holdsPhrase(
  places: readonly (readonly number[])[],
  words: readonly PlacedWord[],
  slop: number,
): boolean {
  const shifted = (at: number) => places[at]!.map((place) => place - words[at]!.position);
  let starts = shifted(0);
  let costs: readonly number[] = starts.map(() => 0);
  for (let at = 1; at < words.length; at++) {
    const next = shifted(at);
    costs = cheapestSteps(starts, costs, next);
    starts = next;
    if (!costs.some((cost) => cost <= slop)) return false;
  }
  return costs.some((cost) => cost <= slop);
}

/** For each of `to` the least cost of a way to it: what it cost to be at one of `from`, and the distance. Both ascend. */
function cheapestSteps(from: readonly number[], costs: readonly number[], to: readonly number[]): number[] {
  const cheapest = new Array<number>(to.length).fill(Number.POSITIVE_INFINITY);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0, next = 0; i < to.length; i++) {
    while (next < from.length && from[next]! <= to[i]!) best = Math.min(best, costs[next]! - from[next++]!);
    cheapest[i] = best + to[i]!;
  }
  best = Number.POSITIVE_INFINITY;
  for (let i = to.length - 1, next = from.length - 1; i >= 0; i--) {
    while (next >= 0 && from[next]! > to[i]!) best = Math.min(best, costs[next]! + from[next--]!);
    cheapest[i] = Math.min(cheapest[i]!, best - to[i]!);
  }
  return cheapest;
}
