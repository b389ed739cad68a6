import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** Cuts a piece of text into words that follow each other in it. */
export type LinderaCut = (piece: string) => readonly string[];

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
  return (piece) => (lindera.tokenize(piece) as readonly LinderaToken[]).map(({ surface }) => surface);
}

/** What the library says of a word, among other things. */
interface LinderaToken {
  readonly surface: string;
}

async function loadLibrary(): Promise<typeof import('lindera-wasm')> {
  const require = createRequire(import.meta.url);
  const loaded = await import('lindera-wasm');
  await loaded.default({
    module_or_path: await readFile(require.resolve('lindera-wasm/lindera_wasm_bg.wasm')),
  });
  return loaded;
}
