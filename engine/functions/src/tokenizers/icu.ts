import { PIECE_UNITS, type PieceRule } from '../pieces.ts';
import type { Token, Tokenizer } from '../token.ts';

let segmenter: Intl.Segmenter | undefined;

/** What lies between the word boundaries of ICU: blanks and punctuation are words of their own. */
export const icuTokenizer: Tokenizer = (piece, offset, firstPosition) => {
  // The locale only breaks ties that none of our texts has; the root's dictionaries serve all scripts.
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  const tokens: Token[] = [];
  let position = firstPosition;
  for (const { segment, index } of segmenter.segment(piece)) {
    const start = offset + index;
    tokens.push({ text: segment, start, end: start + segment.length, position: position++ });
  }
  return { tokens, nextPosition: position };
};

const LINE_BREAK = 10;
const IDEOGRAPHIC_STOP = 0x3002;

/** Dictionaries look at a whole run of a script, so that a piece ends somewhere even where no word does. */
export const icuPieces: PieceRule = {
  isBreak: (unit) => unit === LINE_BREAK || unit === IDEOGRAPHIC_STOP,
  unitsMax: PIECE_UNITS,
};
