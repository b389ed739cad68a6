import { type PieceRule, WORD_UNITS_MAX } from '../pieces.ts';
import type { Tokenizer } from '../token.ts';
import { tokensOf } from './standard.ts';

/** As Rust's `char::is_ascii_whitespace`, by which tantivy splits. */
const WORDS = /[^ \t\n\f\r]+/g;
const SPACE = 0x20;

/** What stands between white space, punctuation included. */
export const whitespaceTokenizer: Tokenizer = (piece, offset, position) =>
  tokensOf(piece, WORDS, offset, position);

export const whitespacePieces: PieceRule = {
  isBreak: (unit) => unit === SPACE || (unit >= 9 && unit <= 13 && unit !== 11),
  unitsMax: WORD_UNITS_MAX,
};
