import { type PieceRule, WORD_UNITS_MAX } from '../pieces.ts';
import type { Token, Tokenizer } from '../token.ts';

/** What a word is made of; everything else stands between words. */
const WORDS = /[\p{Alphabetic}\p{N}]+/gu;
const WORD = /[\p{Alphabetic}\p{N}]/u;

/** Runs of letters and digits of any script. A run of Chinese characters is one word. */
export const standardTokenizer: Tokenizer = (piece, offset, position) =>
  tokensOf(piece, WORDS, offset, position);

export const standardPieces: PieceRule = {
  isBreak: (unit) => !isSurrogate(unit) && !WORD.test(String.fromCharCode(unit)),
  unitsMax: WORD_UNITS_MAX,
};

/** The matches of `pattern`, which is global and matches nothing empty. */
export function tokensOf(
  piece: string,
  pattern: RegExp,
  offset: number,
  firstPosition: number,
): ReturnType<Tokenizer> {
  const tokens: Token[] = [];
  let position = firstPosition;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(piece); match !== null; match = pattern.exec(piece)) {
    const start = offset + match.index;
    tokens.push({ text: match[0], start, end: start + match[0].length, position: position++ });
  }
  return { tokens, nextPosition: position };
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800;
}
