import { isMainThread } from 'node:worker_threads';
import type { PieceRule } from '../pieces.ts';
import type { Token, Tokenizer, Tokens } from '../token.ts';
import { openLindera } from './lindera-library.ts';
import { UNITS_MAX } from './lindera-mailbox.ts';
import { openLinderaThread } from './open-lindera-thread.ts';

/** Dictionaries that come with the library: of Japanese, Korean and Chinese. */
export const LINDERA_DICTIONARIES = ['ipadic', 'ko-dic', 'cc-cedict'] as const;
export type LinderaDictionary = (typeof LINDERA_DICTIONARIES)[number];

/** Those that Milvus knows besides, in builds that have them. */
export const LINDERA_OTHERS: readonly string[] = ['ipadic-neologd', 'unidic'];

const opened = new Map<LinderaDictionary, Promise<Tokenizer>>();

/**
 * Words by Lindera's dictionaries; blanks and punctuation are words of their own. The first use of a dictionary unpacks
 * it: on the thread that answers clients this happens in another one, which then cuts for it.
 */
export function linderaTokenizer(dictionary: LinderaDictionary): Promise<Tokenizer> {
  let tokenizer = opened.get(dictionary);
  if (tokenizer === undefined) {
    tokenizer = openDictionary(dictionary);
    opened.set(dictionary, tokenizer);
    tokenizer.catch(() => opened.delete(dictionary));
  }
  return tokenizer;
}

/** Where the library itself begins anew. */
const MARKS = new Set(Array.from('\n\t。、', (mark) => mark.charCodeAt(0)));

/**
 * A run without marks is looked at as a whole, so that a piece ends somewhere even where no word does: one without words of
 * its language takes three milliseconds.
 */
export const linderaPieces: PieceRule = { isBreak: (unit) => MARKS.has(unit), unitsMax: UNITS_MAX };

async function openDictionary(dictionary: LinderaDictionary): Promise<Tokenizer> {
  const cut = await (isMainThread ? openLinderaThread(dictionary) : openLindera(dictionary));
  return (piece, offset, position) => placed(piece, cut(piece), offset, position);
}

/** The words with their places: they follow each other in the piece. */
function placed(piece: string, words: readonly string[], offset: number, first: number): Tokens {
  const tokens: Token[] = [];
  let end = 0;
  for (const [number, text] of words.entries()) {
    const start = Math.max(piece.indexOf(text, end), end);
    end = start + text.length;
    tokens.push({ text, start: offset + start, end: offset + end, position: first + number });
  }
  return { tokens, nextPosition: first + tokens.length };
}
