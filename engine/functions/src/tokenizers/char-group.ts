import { type PieceRule, WORD_UNITS_MAX } from '../pieces.ts';
import type { Tokenizer } from '../token.ts';
import { tokensOf } from './standard.ts';

/** Characters that a name stands for, as they stand in a class of a pattern. */
const GROUPS = {
  whitespace: '\\p{White_Space}',
  letter: '\\p{Alphabetic}',
  digit: '0-9',
  punctuation: '\\p{P}',
  symbol: '\\p{S}',
  ascii_whitespace: ' \\t\\n\\f\\r',
  ascii_letter: 'A-Za-z',
  ascii_digit: '0-9',
  ascii_punctuation: '!-\\/:-@\\[-`\\{-~',
} as const;

/** A class of characters; `null` when some member is neither one character nor the name of a group. */
export function charClass(members: readonly string[]): string | null {
  let found = '';
  for (const member of members) {
    if (Object.hasOwn(GROUPS, member)) found += GROUPS[member as keyof typeof GROUPS];
    else if ([...member].length === 1) found += `\\u{${member.codePointAt(0)!.toString(16)}}`;
    else return null;
  }
  return found;
}

/** What stands between the characters of a class. */
export function charGroupTokenizer(delimiters: string): Tokenizer {
  const words = new RegExp(`[^${delimiters}]+`, 'gu');
  return (piece, offset, position) => tokensOf(piece, words, offset, position);
}

/** Pieces end behind characters of a class, but for halves of pairs. */
export function charGroupPieces(delimiters: string, unitsMax: number = WORD_UNITS_MAX): PieceRule {
  const delimiter = new RegExp(`[${delimiters}]`, 'u');
  return {
    isBreak: (unit) => (unit & 0xf800) !== 0xd800 && delimiter.test(String.fromCharCode(unit)),
    unitsMax,
  };
}
