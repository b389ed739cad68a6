import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';

/** Stands in a segment for `_`: exactly one code point. */
export const ANY_CODE_POINT = -1;

/** The bytes between two `%`, with `ANY_CODE_POINT` among them. */
export type LikeSegment = readonly number[];

/** A LIKE pattern, cut at its `%`: the first segment begins the text, the last one ends it. */
export interface LikePattern {
  /** At least one; only one when the pattern has no `%` and is the whole text. */
  readonly segments: readonly LikeSegment[];
}

/**
 * Reads a pattern. A backslash takes the special meaning of the character behind it; a last, lone one
 * means itself.
 * @throws FilterError when a segment between two `%` is longer than a search for it may cost
 */
export function parseLike(pattern: string): LikePattern {
  const bytes = Buffer.from(pattern);
  const segments: number[][] = [[]];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    const segment = segments.at(-1)!;
    if (byte === 0x25) segments.push([]);
    else if (byte === 0x5f) segment.push(ANY_CODE_POINT);
    else if (byte === 0x5c && at + 1 < bytes.length) segment.push(bytes[++at]!);
    else segment.push(byte);
  }
  const isTooLong = segments.slice(1, -1).some((segment) => segment.length > FILTER_LIMITS.likeInfixBytesMax);
  if (isTooLong)
    throw new FilterError(
      `more than ${FILTER_LIMITS.likeInfixBytesMax} bytes between two % of a like pattern`,
    );
  return { segments };
}

/** A pattern that means `text` itself. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
