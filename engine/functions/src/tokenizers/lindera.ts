import { isMainThread } from 'node:worker_threads';
import type { PieceRule } from '../pieces.ts';
import type { Token, Tokenizer, Tokens } from '../token.ts';
import { type LinderaCut, type LinderaWord, openLindera } from './lindera-library.ts';
import { UNITS_MAX } from './lindera-mailbox.ts';
import { openLinderaThread } from './open-lindera-thread.ts';

/** Dictionaries that come with the library: of Japanese, Korean and Chinese. */
export const LINDERA_DICTIONARIES = ['ipadic', 'ko-dic', 'cc-cedict'] as const;
export type LinderaDictionary = (typeof LINDERA_DICTIONARIES)[number];

/** Those that Milvus knows besides, in builds that have them. */
export const LINDERA_OTHERS: readonly string[] = ['ipadic-neologd', 'unidic'];

const opened = new Map<LinderaDictionary, Promise<LinderaCut>>();

/** What a tokenizer of Lindera is to do. */
export interface LinderaOptions {
  readonly dictionary: LinderaDictionary;
  /** Parts of speech whose words are left out, as `LinderaWord.tag` has them. */
  readonly stopTags: readonly string[];
}

/**
 * Words by Lindera's dictionaries; blanks and punctuation are words of their own. The first use of a dictionary unpacks
 * it: on the thread that answers clients this happens in another one, which then cuts for it.
 */
export async function linderaTokenizer({ dictionary, stopTags }: LinderaOptions): Promise<Tokenizer> {
  const cut = await openDictionary(dictionary);
  if (stopTags.length === 0) return (piece, offset, position) => placed(piece, cut(piece), offset, position);
  const stopped = new Set(stopTags);
  return (piece, offset, position) => {
    const words = cut(piece, 'tags');
    const { tokens, nextPosition } = placed(piece, words, offset, position);
    return { tokens: tokens.filter((_, at) => !stopped.has(words[at]!.tag)), nextPosition };
  };
}

/** Each is open once. */
function openDictionary(dictionary: LinderaDictionary): Promise<LinderaCut> {
  let cut = opened.get(dictionary);
  if (cut === undefined) {
    cut = isMainThread ? openLinderaThread(dictionary) : openLindera(dictionary);
    opened.set(dictionary, cut);
    cut.catch(() => opened.delete(dictionary));
  }
  return cut;
}

/** Where the library itself begins anew. */
const MARKS = new Set(Array.from('\n\t。、', (mark) => mark.charCodeAt(0)));

/**
 * A run without marks is looked at as a whole, so that a piece ends somewhere even where no word does: one without words of
 * its language takes three milliseconds.
 */
export const linderaPieces: PieceRule = { isBreak: (unit) => MARKS.has(unit), unitsMax: UNITS_MAX };

/** The words with their places: they follow each other in the piece. */
function placed(piece: string, words: readonly LinderaWord[], offset: number, first: number): Tokens {
  const tokens: Token[] = [];
  let end = 0;
  for (const [number, { text }] of words.entries()) {
    const start = Math.max(piece.indexOf(text, end), end);
    end = start + text.length;
    tokens.push({ text, start: offset + start, end: offset + end, position: first + number });
  }
  return { tokens, nextPosition: first + tokens.length };
}
