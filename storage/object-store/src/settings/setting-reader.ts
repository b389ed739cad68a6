import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where settings come from. */
export interface SettingSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The configuration file's value of a key, whatever its case; `undefined` or `null` when it has none. */
  readonly value: (key: string) => unknown;
  /** Relative paths start here. */
  readonly workingDirectory: string;
}

/** What the operator wrote can't be meant. The message is one sentence that names the key or variable. */
export class ObjectStoreSettingsError extends Error {
  override readonly name = 'ObjectStoreSettingsError';
}

interface Found {
  /** The key or variable that says it. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads settings by their names, strongest first. A name in capitals is a variable of the environment, any other a key
 * of the file. What is empty counts as not said.
 */
export class SettingReader {
  readonly #sources: SettingSources;

  constructor(sources: SettingSources) {
    this.#sources = sources;
  }

  found(names: readonly string[]): Found | null {
    const { environment, value } = this.#sources;
    for (const name of names) {
      const said = /^[A-Z][A-Z_]*$/.test(name) ? environment[name] : value(name);
      if (said === undefined || said === null || said === '') continue;
      if (typeof said === 'object') throw this.refused(`${name} must be a single value`);
      return { name, text: String(said).trim() };
    }
    return null;
  }

  text(names: readonly string[]): string | null {
    return this.found(names)?.text ?? null;
  }

  /** Case does not count. */
  oneOf<Word extends string>(names: readonly string[], words: readonly Word[]): Word | null {
    const found = this.found(names);
    if (found === null) return null;
    const word = words.find((candidate) => candidate === found.text.toLowerCase());
    if (word !== undefined) return word;
    throw this.refused(`${found.name} is "${found.text}", it must be one of ${words.join(', ')}`);
  }

  flag(names: readonly string[]): boolean | null {
    const found = this.found(names);
    if (found === null) return null;
    const text = found.text.toLowerCase();
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    throw this.refused(`${found.name} is "${found.text}", it must be true or false`);
  }

  wholeNumber(
    names: readonly string[],
    { min, max }: { readonly min: number; readonly max: number },
  ): number | null {
    const found = this.found(names);
    if (found === null) return null;
    const number = /^\d+$/.test(found.text) ? Number(found.text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw this.refused(`${found.name} is "${found.text}", it must be a whole number from ${min} to ${max}`);
  }

  /** Absolute. */
  path(names: readonly string[]): string | null {
    const text = this.text(names);
    return text === null ? null : resolve(this.#sources.workingDirectory, text);
  }

  /** JSON text of an object. The text itself is a secret: it is not in the error. */
  json(names: readonly string[]): string | null {
    const found = this.found(names);
    if (found === null) return null;
    try {
      const value: unknown = JSON.parse(found.text);
      if (typeof value === 'object' && value !== null) return found.text;
    } catch {
      // Told below: the parser's own words would quote the secret.
    }
    throw this.refused(`${found.name} must be the JSON of a key`);
  }

  fileContent(path: string): string {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw this.refused(`${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
    }
  }

  refused(message: string): ObjectStoreSettingsError {
    return new ObjectStoreSettingsError(message);
  }
}
