import type { PieceRule } from '../pieces.ts';
import type { Token, Tokenizer } from '../token.ts';
import { charGroupPieces } from './char-group.ts';

export interface NgramOptions {
  /** Characters of the shortest and of the longest gram; from 1 on. */
  readonly min: number;
  readonly max: number;
  /** Whether grams begin with their run only. */
  readonly prefixOnly: boolean;
  /** Class of the characters that grams are made of; `null`: all. */
  readonly kept: string | null;
}

/** Lengths of grams: each character begins as many. */
export const GRAM_LENGTHS_MAX = 4;
/** Grams of so many characters are made in two milliseconds; none reaches beyond them. */
const RUN_UNITS_MAX = 4096;

/** Every part of so many characters of each run of characters that count. Parts of one run have one position. */
export function ngramTokenizer({ min, max, prefixOnly, kept }: NgramOptions): Tokenizer {
  const runs = new RegExp(kept === null ? '[^]+' : `[${kept}]+`, 'gu');
  return (piece, offset, firstPosition) => {
    const tokens: Token[] = [];
    let position = firstPosition;
    for (const { 0: run, index } of piece.matchAll(runs)) {
      const starts = characterStarts(run);
      const count = starts.length - 1;
      const lastStart = prefixOnly ? Math.min(0, count - min) : count - min;
      for (let first = 0; first <= lastStart; first++)
        for (let end = first + min; end <= Math.min(first + max, count); end++) {
          const [from, to] = [starts[first]!, starts[end]!];
          const start = offset + index;
          tokens.push({ text: run.slice(from, to), start: start + from, end: start + to, position });
        }
      position += 1;
    }
    return { tokens, nextPosition: position };
  };
}

/** Pieces end between two runs where they can. */
export function ngramPieces({ kept }: NgramOptions): PieceRule {
  if (kept === null) return { isBreak: () => false, unitsMax: RUN_UNITS_MAX };
  return charGroupPieces(`^${kept}`, RUN_UNITS_MAX);
}

/** Where each character of a text begins, and where the last one ends. */
function characterStarts(text: string): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at);
  starts.push(text.length);
  return starts;
}
