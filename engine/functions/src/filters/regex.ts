import { createRequire } from 'node:module';
import { invalidParameter } from '@elanus/model';
import { keepTexts, type TokenFilter } from '../token.ts';

type Library = typeof import('re2js');

/** Longer patterns take long to compile. */
const PATTERN_UNITS_MAX = 1024;

/** Loaded by the first analyzer that needs it. */
function compile(pattern: string): ReturnType<Library['RE2JS']['compile']> {
  const { RE2JS } = createRequire(import.meta.url)('re2js') as Library;
  return RE2JS.compile(pattern);
}

/** @throws MilvusError 1100 when `pattern` is none of RE2's, which take time that grows with the text only */
export function checkWordPattern(pattern: string): void {
  if (pattern.length > PATTERN_UNITS_MAX)
    throw invalidParameter(`regex expression invalid, it is longer than ${PATTERN_UNITS_MAX} characters`);
  try {
    compile(pattern);
  } catch (error) {
    throw invalidParameter(`regex expression invalid, expr:${pattern}, err: ${(error as Error).message}`);
  }
}

/** A filter that keeps words in which a pattern is found. REQUIRES: `checkWordPattern` has let it pass. */
export function regexFilter(pattern: string): TokenFilter {
  const compiled = compile(pattern);
  return keepTexts((text) => compiled.matcher(text).find());
}
