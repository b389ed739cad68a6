import { isAbsolute } from 'node:path';
import { StartError } from '../start-error.ts';

/** One key of the configuration: its name in the file, what it is when nobody sets it, and how its value is read. */
export interface Setting<Value> {
  readonly key: string;
  readonly fallback: Value;
  /** `value` comes from a YAML file or, as a string, from the environment. @throws StartError naming `origin` */
  readonly read: (value: unknown, origin: string) => Value;
}

/** A whole number; a size may be written with its unit (`64m`, `1g`). */
export function wholeNumber(
  key: string,
  fallback: number,
  { min, max }: { readonly min: number; readonly max: number },
): Setting<number> {
  return {
    key,
    fallback,
    read: (value, origin) => {
      const number = typeof value === 'number' ? value : numberIn(String(value));
      if (Number.isInteger(number) && number >= min && number <= max) return number;
      throw new StartError(
        `${origin} is ${JSON.stringify(value)}, it must be a whole number from ${min} to ${max}`,
      );
    },
  };
}

/** A time in seconds, 0 or more, fractions too; read as whole milliseconds. */
export function seconds(key: string, fallbackMs: number): Setting<number> {
  return {
    key,
    fallback: fallbackMs,
    read: (value, origin) => {
      const number = typeof value === 'number' ? value : Number(String(value).trim() || Number.NaN);
      if (number >= 0 && number <= SECONDS_MAX) return Math.round(1000 * number);
      throw new StartError(
        `${origin} is ${JSON.stringify(value)}, it must be seconds from 0 to ${SECONDS_MAX}`,
      );
    },
  };
}

/** About thirty years. */
const SECONDS_MAX = 1e9;

/** A share: above 0, at most 1. */
export function fraction(key: string, fallback: number): Setting<number> {
  return {
    key,
    fallback,
    read: (value, origin) => {
      const number = typeof value === 'number' ? value : Number(String(value).trim() || Number.NaN);
      if (number > 0 && number <= 1) return number;
      throw new StartError(`${origin} is ${JSON.stringify(value)}, it must be a number above 0 and up to 1`);
    },
  };
}

/** An absolute path, or nothing. */
export function directoryPath(key: string): Setting<string | null> {
  return {
    key,
    fallback: null,
    read: (value, origin) => {
      if (value === '') return null;
      if (typeof value === 'string' && isAbsolute(value)) return value;
      throw new StartError(`${origin} is ${JSON.stringify(value)}, it must be an absolute path`);
    },
  };
}

/** A text; `null` when nobody sets it. */
export function text(key: string): Setting<string | null> {
  return { key, fallback: null, read: (value) => String(value) };
}

/** `true` or `false`. */
export function flag(key: string, fallback: boolean): Setting<boolean> {
  const words = oneOf(key, fallback ? 'true' : 'false', ['true', 'false']);
  return { key, fallback, read: (value, origin) => words.read(value, origin) === 'true' };
}

/** One of a few words, case aside. */
export function oneOf<Word extends string>(
  key: string,
  fallback: Word,
  words: readonly Word[],
): Setting<Word> {
  return {
    key,
    fallback,
    read: (value, origin) => {
      const word = words.find((candidate) => candidate === String(value).toLowerCase());
      if (word !== undefined) return word;
      throw new StartError(`${origin} is ${JSON.stringify(value)}, it must be one of ${words.join(', ')}`);
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function numberIn(text: string): number {
  const parts = /^\s*(-?\d+)\s*([kmg]?)b?\s*$/i.exec(text);
  return parts === null ? Number.NaN : Number(parts[1]) * UNITS[parts[2]!.toLowerCase()]!;
}
