import { readFile, rename, writeFile } from 'node:fs/promises';

/** Where a copy goes on: the last key of each partition that the target has, by `database/collection/partition`. */
export class ProgressFile {
  readonly #path: string;
  readonly #pair: string;
  #keys: Record<string, string>;

  private constructor(path: string, pair: string, keys: Record<string, string>) {
    this.#path = path;
    this.#pair = pair;
    this.#keys = keys;
  }

  /** What an earlier run between the same servers has left; otherwise nothing. */
  static async open(path: string, from: string, to: string): Promise<ProgressFile> {
    const pair = `${from} ${to}`;
    try {
      const known = JSON.parse(await readFile(path, 'utf8')) as {
        pair: string;
        keys: Record<string, string>;
      };
      if (known.pair === pair) return new ProgressFile(path, pair, known.keys);
    } catch (error) {
      const isNew = (error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError;
      if (!isNew) throw error;
    }
    return new ProgressFile(path, pair, {});
  }

  /** `null`: nothing was copied; `''`: all was. */
  after(place: string): string | null {
    return this.#keys[place] ?? null;
  }

  async note(place: string, key: string): Promise<void> {
    this.#keys = { ...this.#keys, [place]: key };
    const draft = `${this.#path}.draft`;
    await writeFile(draft, JSON.stringify({ pair: this.#pair, keys: this.#keys }));
    await rename(draft, this.#path);
  }
}
