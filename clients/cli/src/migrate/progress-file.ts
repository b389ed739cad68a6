import { readFile, rename, writeFile } from 'node:fs/promises';
import type { LoadedForReading } from './readable.ts';

interface Content {
  readonly keys: Readonly<Record<string, string>>;
  readonly loaded?: readonly string[];
}

/** Where a copy goes on: the last key of each partition that the target has, by `database/collection/partition`. */
export class ProgressFile {
  readonly #path: string;
  readonly #pair: string;
  #keys: Readonly<Record<string, string>>;
  #loaded: readonly string[];

  private constructor(path: string, pair: string, { keys, loaded = [] }: Content) {
    this.#path = path;
    this.#pair = pair;
    this.#keys = keys;
    this.#loaded = loaded;
  }

  /** What an earlier run between the same servers has left; otherwise nothing. */
  static async open(path: string, from: string, to: string): Promise<ProgressFile> {
    const pair = `${from} ${to}`;
    try {
      const known = JSON.parse(await readFile(path, 'utf8')) as Content & { readonly pair: string };
      if (known.pair === pair) return new ProgressFile(path, pair, known);
    } catch (error) {
      const isNew = (error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError;
      if (!isNew) throw error;
    }
    return new ProgressFile(path, pair, { keys: {} });
  }

  /** `null`: nothing was copied; `''`: all was. */
  after(place: string): string | null {
    return this.#keys[place] ?? null;
  }

  async note(place: string, key: string): Promise<void> {
    this.#keys = { ...this.#keys, [place]: key };
    await this.#write();
  }

  /** Collections that are loaded only to be read, by an earlier run, too, that did not come to release them. */
  get loaded(): LoadedForReading {
    return {
      has: (place) => this.#loaded.includes(place),
      note: async (place, state) => {
        const others = this.#loaded.filter((each) => each !== place);
        this.#loaded = state === 'loaded' ? [...others, place] : others;
        await this.#write();
      },
    };
  }

  async #write(): Promise<void> {
    const draft = `${this.#path}.draft`;
    const content = { pair: this.#pair, keys: this.#keys, loaded: this.#loaded };
    await writeFile(draft, JSON.stringify(content));
    await rename(draft, this.#path);
  }
}
