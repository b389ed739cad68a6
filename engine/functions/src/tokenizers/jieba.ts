import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Jieba } from '@node-rs/jieba';
import { PIECE_UNITS, type PieceRule } from '../pieces.ts';
import type { Token, Tokenizer } from '../token.ts';

export interface JiebaOptions {
  /** Whether the dictionary of the library is loaded. */
  readonly defaultDictionary: boolean;
  readonly words: readonly string[];
  /** `search` adds the shorter words inside of long ones. */
  readonly mode: 'search' | 'exact';
  /** Whether runs that are in no dictionary are cut by their statistics. */
  readonly hmm: boolean;
}

/** Lines that are loaded in about a millisecond; the dictionary has 350,000. */
const LINES_PER_TURN = 1500;
/** So frequent that it wins over the words that it is made of. */
const OWN_WORD_FREQUENCY = 2_000_000;

/** The dictionaries in memory, by their own words: 50 MB for each that has the default one in it. */
const dictionaries = new Map<string, Promise<Jieba>>();
export const DICTIONARIES_MAX = 8;

/** Whether `jiebaTokenizer` would have to load one dictionary too many. */
export function isOneDictionaryTooMany(options: JiebaOptions): boolean {
  return !dictionaries.has(dictionaryKey(options)) && dictionaries.size >= DICTIONARIES_MAX;
}

/** Chinese segmentation by jieba. Loads the dictionary when nobody has before, in turns of the event loop. */
export async function jiebaTokenizer(options: JiebaOptions): Promise<Tokenizer> {
  const key = dictionaryKey(options);
  let loading = dictionaries.get(key);
  if (loading === undefined) {
    loading = loadJieba(options);
    dictionaries.set(key, loading);
    loading.catch(() => dictionaries.delete(key));
  }
  const jieba = await loading;
  const { mode, hmm } = options;
  return (piece, offset, firstCharacter) => {
    const words = jieba.cut(piece, hmm);
    const parts = mode === 'search' ? jieba.cutForSearch(piece, hmm) : words;
    return {
      tokens: placed(words, parts, offset, firstCharacter),
      nextPosition: firstCharacter + piece.length,
    };
  };
}

const PUNCTUATION = new Set(Array.from('\n 。，、！？；：,.!?;:', (mark) => mark.charCodeAt(0)));

export const jiebaPieces: PieceRule = { isBreak: (unit) => PUNCTUATION.has(unit), unitsMax: PIECE_UNITS };

function dictionaryKey({ defaultDictionary, words }: JiebaOptions): string {
  return JSON.stringify([defaultDictionary, ...words]);
}

async function loadJieba({ defaultDictionary, words }: JiebaOptions): Promise<Jieba> {
  const require = createRequire(import.meta.url);
  const library = require('@node-rs/jieba') as typeof import('@node-rs/jieba');
  const jieba = new library.Jieba();
  if (defaultDictionary) await loadLines(jieba, await readFile(require.resolve('@node-rs/jieba/dict.txt')));
  if (words.length > 0) {
    const lines = words.map((word) => `${word} ${OWN_WORD_FREQUENCY} n`);
    await loadLines(jieba, Buffer.from(lines.join('\n')));
  }
  return jieba;
}

async function loadLines(jieba: Jieba, lines: Buffer): Promise<void> {
  for (let start = 0; start < lines.length; ) {
    let end = start;
    for (let line = 0; line < LINES_PER_TURN && end < lines.length; line++) {
      const next = lines.indexOf(10, end);
      end = next < 0 ? lines.length : next + 1;
    }
    jieba.loadDict(lines.subarray(start, end));
    start = end;
    await nextTurn();
  }
}

/**
 * `parts` with their places: of each word first its parts of two characters, then those of three, then the word. The
 * position of a token is its first unit, so that a phrase is found however the text around it was cut.
 */
function placed(words: readonly string[], parts: readonly string[], offset: number, first: number): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let wordStart = 0;
  const push = (text: string, start: number): void => {
    tokens.push({ text, start: offset + start, end: offset + start + text.length, position: first + start });
  };
  for (const word of words) {
    let from = 0;
    let length = 0;
    while (at < parts.length && parts[at] !== word) {
      const part = parts[at++]!;
      if (part.length !== length) from = 0;
      length = part.length;
      const found = Math.max(word.indexOf(part, from), 0);
      from = found + 1;
      push(part, wordStart + found);
    }
    at += 1;
    push(word, wordStart);
    wordStart += word.length;
  }
  return tokens;
}
