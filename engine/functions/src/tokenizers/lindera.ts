import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Tokenizer as Library } from 'lindera-wasm';
import type { PieceRule } from '../pieces.ts';
import type { Token, Tokenizer, Tokens } from '../token.ts';

/** Dictionaries that come with the library: of Japanese, Korean and Chinese. */
export const LINDERA_DICTIONARIES = ['ipadic', 'ko-dic', 'cc-cedict'] as const;
export type LinderaDictionary = (typeof LINDERA_DICTIONARIES)[number];

/** Those that Milvus knows besides, in builds that have them. */
export const LINDERA_OTHERS: readonly string[] = ['ipadic-neologd', 'unidic'];

let library: Promise<typeof import('lindera-wasm')> | undefined;
const opened = new Map<LinderaDictionary, Promise<Tokenizer>>();

/**
 * Words by Lindera's dictionaries; blanks and punctuation are words of their own. The first use of a dictionary unpacks
 * it, at once: 0.2 s for Japanese, and 300 MB with the library.
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
/** A piece without words of its language takes three milliseconds. */
const UNITS_MAX = 256;

/** A run without marks is looked at as a whole, so that a piece ends somewhere even where no word does. */
export const linderaPieces: PieceRule = { isBreak: (unit) => MARKS.has(unit), unitsMax: UNITS_MAX };

async function openDictionary(dictionary: LinderaDictionary): Promise<Tokenizer> {
  library ??= loadLibrary();
  const { TokenizerBuilder } = await library;
  const builder = new TokenizerBuilder();
  builder.setMode('normal');
  builder.setDictionary(`embedded://${dictionary}`);
  const lindera = builder.build();
  return (piece, offset, position) => placed(piece, cut(lindera, piece), offset, position);
}

async function loadLibrary(): Promise<typeof import('lindera-wasm')> {
  const require = createRequire(import.meta.url);
  const loaded = await import('lindera-wasm');
  await loaded.default({
    module_or_path: await readFile(require.resolve('lindera-wasm/lindera_wasm_bg.wasm')),
  });
  return loaded;
}

/** What the library says of a word, among other things. */
interface LinderaToken {
  readonly surface: string;
}

function cut(lindera: Library, piece: string): readonly LinderaToken[] {
  return lindera.tokenize(piece) as readonly LinderaToken[];
}

/** The words with their places: they follow each other in the piece. */
function placed(piece: string, words: readonly LinderaToken[], offset: number, first: number): Tokens {
  const tokens: Token[] = [];
  let end = 0;
  for (const [number, { surface }] of words.entries()) {
    const start = Math.max(piece.indexOf(surface, end), end);
    end = start + surface.length;
    tokens.push({ text: surface, start: offset + start, end: offset + end, position: first + number });
  }
  return { tokens, nextPosition: first + tokens.length };
}
