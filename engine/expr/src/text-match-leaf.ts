import type { FieldSchema, VarCharColumn } from '@elanus/model';
import { type Evaluator, rowEvaluator } from './evaluator.ts';
import type { PhraseMatchLeaf, TextMatchLeaf } from './plan.ts';
import { standardWords } from './standard-analyzer.ts';

/** The evaluator of `text_match`, which reads the words of every row: there is no index yet. */
export function textMatchEvaluator({ field, tokens, countMin, negated }: TextMatchLeaf): Evaluator {
  const wanted = new Set(tokens);
  return overWords(field, negated, (words) => {
    if (wanted.size < countMin || wanted.size === 0) return false;
    const found = new Set<string>();
    for (const word of words) if (wanted.has(word) && found.add(word).size >= countMin) return true;
    return false;
  });
}

/** The evaluator of `phrase_match`. */
export function phraseMatchEvaluator({ field, tokens, slop, negated }: PhraseMatchLeaf): Evaluator {
  return overWords(field, negated, (words) => tokens.length > 0 && holdsPhrase(words, tokens, slop));
}

function overWords(
  field: FieldSchema,
  negated: boolean,
  test: (words: readonly string[]) => boolean,
): Evaluator {
  return rowEvaluator(({ source }) => {
    const { bytes, offsets, validity } = source.column(field.id) as VarCharColumn;
    return (row) => {
      if (validity !== null && validity[row] === 0) return false;
      const start = bytes.byteOffset + offsets[row]!;
      const text = Buffer.from(bytes.buffer, start, offsets[row + 1]! - offsets[row]!).toString();
      return test(standardWords(text)) !== negated;
    };
  });
}

/**
 * Whether there is a place in `words` for each token such that the places, each seen from where the phrase
 * would put it, differ by `slop` in all from one token to the next. So a word between two tokens costs 1, and
 * two tokens in the wrong order cost 2. Two equal tokens may find the same place, as in Tantivy.
 */
export function holdsPhrase(words: readonly string[], tokens: readonly string[], slop: number): boolean {
  const placesOf = new Map<string, number[]>(tokens.map((token) => [token, []]));
  for (let place = 0; place < words.length; place++) placesOf.get(words[place]!)?.push(place);
  let starts = placesOf.get(tokens[0]!)!;
  let costs: readonly number[] = starts.map(() => 0);
  for (let i = 1; i < tokens.length; i++) {
    const next = placesOf.get(tokens[i]!)!.map((place) => place - i);
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
