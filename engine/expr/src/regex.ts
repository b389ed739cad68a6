import { createRequire } from 'node:module';
import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';

type Library = typeof import('re2js');

let library: Library | undefined;

/** Loaded by the first pattern: 16 ms that no start of a server should pay. */
function re2(): Library['RE2JS'] {
  library ??= createRequire(import.meta.url)('re2js') as Library;
  return library.RE2JS;
}

/** @throws FilterError when `pattern` is none of RE2's, or is one that would cost too much a character */
export function requireRegex(pattern: string, phase: 'parse' | 'fill'): void {
  const { regexLengthMax, regexStepsMax } = FILTER_LIMITS;
  if (pattern.length > regexLengthMax)
    throw new FilterError(`invalid regex pattern: longer than ${regexLengthMax} characters`, phase);
  let steps: number;
  try {
    steps = re2().compile(pattern).programSize();
  } catch (error) {
    throw new FilterError(`invalid regex pattern: ${(error as Error).message}`, phase);
  }
  if (steps > regexStepsMax)
    throw new FilterError(`invalid regex pattern: more than ${regexStepsMax} steps`, phase);
}

/**
 * Whether some part of the UTF-8 text `bytes[start .. end)` matches `pattern`, in time that is linear in the text
 * whatever the pattern: no automaton with a memory runs here.
 */
export function regexTest(pattern: string): (bytes: Uint8Array, start: number, end: number) => boolean {
  const regex = re2().compile(pattern);
  return (bytes, start, end) => regex.test(bytes.subarray(start, end));
}
