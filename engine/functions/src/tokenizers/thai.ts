import type { Tokenizer } from '../token.ts';
import { icuTokenizer } from './icu.ts';

/** Some vowels and signs of Thai are marks and no letters. */
const WORD = /[\p{Alphabetic}\p{N}\u0e01-\u0e5b]/u;

/** The words of ICU, for texts in Thai among others; blanks and punctuation are none. */
export const thaiTokenizer: Tokenizer = (piece, offset, firstPosition) => {
  const { tokens } = icuTokenizer(piece, offset, 0);
  const words = tokens.filter(({ text }) => WORD.test(text));
  return {
    tokens: words.map((token, number) => ({ ...token, position: firstPosition + number })),
    nextPosition: firstPosition + words.length,
  };
};
