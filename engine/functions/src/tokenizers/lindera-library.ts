import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

export interface LinderaWord {
  readonly text: string;
  /** Its part of speech as the dictionary says it, in Korean one tag, else four levels with commas; empty when it knows none. */
  readonly tag: string;
}

/** Cuts a piece of text into words that follow each other in it. Without `tags` none has one. */
export type LinderaCut = (piece: string, tags?: 'tags') => readonly LinderaWord[];

let library: Promise<typeof import('lindera-wasm')> | undefined;

/**
 * Opens a dictionary, `ipadic` for one. Unpacks it in this thread, at once: 0.2 s for Japanese, and 300 MB with the
 * library.
 */
export async function openLindera(dictionary: string): Promise<LinderaCut> {
  library ??= loadLibrary();
  const { TokenizerBuilder } = await library;
  const builder = new TokenizerBuilder();
  builder.setMode('normal');
  builder.setDictionary(`embedded://${dictionary}`);
  const lindera = builder.build();
  return (piece, tags) =>
    (lindera.tokenize(piece) as readonly LinderaToken[]).map((token) => ({
      text: token.surface,
      tag: tags === undefined ? '' : tagOf(token),
    }));
}

/** What the library says of a word, among other things; of a word that is in no dictionary less. */
interface LinderaToken {
  readonly surface: string;
  readonly partOfSpeechTag?: string;
  readonly partOfSpeech?: string;
  readonly partOfSpeechSubcategory1?: string;
  readonly partOfSpeechSubcategory2?: string;
  readonly partOfSpeechSubcategory3?: string;
}

function tagOf(token: LinderaToken): string {
  if (token.partOfSpeechTag !== undefined) return token.partOfSpeechTag;
  const { partOfSpeech, partOfSpeechSubcategory1: second } = token;
  if (second === undefined) return '';
  return [partOfSpeech, second, token.partOfSpeechSubcategory2, token.partOfSpeechSubcategory3].join();
}

async function loadLibrary(): Promise<typeof import('lindera-wasm')> {
  const require = createRequire(import.meta.url);
  const loaded = await import('lindera-wasm');
  await loaded.default({
    module_or_path: await readFile(require.resolve('lindera-wasm/lindera_wasm_bg.wasm')),
  });
  return loaded;
}
