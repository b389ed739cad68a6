import { createRequire } from 'node:module';
import type { Token, TokenFilter } from '../token.ts';

/** Which words stand for one with Chinese characters in it. */
export interface PinyinOptions {
  readonly original: boolean;
  /** How each character is read, a word for each. */
  readonly full: boolean;
  /** The readings of all its characters in one word. */
  readonly joined: boolean;
  /** The first letters of the readings in one word. */
  readonly firstLetters: boolean;
}

const HAN = /\p{Script=Han}/u;
/** Readings that are remembered: there are about 20,000 characters that have one. */
const REMEMBERED_MAX = 32_768;

/** Loaded by the first analyzer that needs it. */
function readingOf(): (character: string) => string | null {
  const { pinyin } = createRequire(import.meta.url)('pinyin-pro') as typeof import('pinyin-pro');
  const known = new Map<string, string | null>();
  return (character) => {
    let reading = known.get(character);
    if (reading !== undefined) return reading;
    const [read] = pinyin(character, { toneType: 'none', type: 'array' });
    reading = read === undefined || read === character ? null : read;
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(character, reading);
    return reading;
  };
}

/**
 * A filter that adds to words with Chinese characters how those are read, without tones. Each character has its commonest
 * reading, whatever stands beside it. Other words pass when originals do.
 */
export function pinyinFilter({ original, full, joined, firstLetters }: PinyinOptions): TokenFilter {
  const read = readingOf();
  return (tokens) =>
    tokens.flatMap((token): readonly Token[] => {
      const own = original ? [token] : [];
      if (!HAN.test(token.text)) return own;
      const readings = Array.from(token.text, read).filter((reading) => reading !== null);
      if (readings.length === 0) return own;
      const texts = [
        ...(full ? readings : []),
        ...(joined ? [readings.join('')] : []),
        ...(firstLetters ? [readings.map((reading) => Array.from(reading)[0]).join('')] : []),
      ];
      return [...own, ...texts.map((text) => ({ ...token, text }))];
    });
}
