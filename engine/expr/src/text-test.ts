import { satisfies } from './compare.ts';
import { ANY_CODE_POINT, type LikePattern, type LikeSegment } from './like.ts';
import { textIndexOf } from './look-ups.ts';
import type { OperandLeaf } from './plan.ts';
import { regexTest } from './regex.ts';
import { equalBytes } from './text-index.ts';

/** Whether the UTF-8 text `bytes[start .. end)` satisfies a leaf, which is not negated. */
export type TextTest = (bytes: Uint8Array, start: number, end: number) => boolean;

/** The test of `leaf` on one text; `undefined` when its constants are no texts. */
export function textTest(leaf: OperandLeaf): TextTest | undefined {
  switch (leaf.kind) {
    case 'compare': {
      if (typeof leaf.value !== 'string') return undefined;
      const constant = Buffer.from(leaf.value);
      const { operator } = leaf;
      if (operator === '==') return (bytes, start, end) => equalBytes(bytes, start, end, constant);
      return (bytes, start, end) => satisfies(orderOfBytes(bytes, start, end, constant), operator);
    }
    case 'range': {
      if (typeof leaf.lower !== 'string' || typeof leaf.upper !== 'string') return undefined;
      const lower = Buffer.from(leaf.lower);
      const upper = Buffer.from(leaf.upper);
      const { lowerOperator, upperOperator } = leaf;
      return (bytes, start, end) =>
        satisfies(orderOfBytes(bytes, start, end, lower), lowerOperator) &&
        satisfies(orderOfBytes(bytes, start, end, upper), upperOperator);
    }
    case 'in': {
      const index = textIndexOf(leaf.values);
      return (bytes, start, end) => index.slotOf(bytes, start, end) >= 0;
    }
    case 'like':
      return likeTest(leaf.pattern);
    case 'regex':
      return regexTest(leaf.pattern);
    default:
      return undefined;
  }
}

/** -1, 0 or 1 as the text is below, equal to or above `other`, byte by byte. */
export function orderOfBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): number {
  const length = Math.min(end - start, other.length);
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - other[i]!;
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return Math.sign(end - start - other.length);
}

/** Takes each middle segment at its first place: with `%` on both sides no later place can do better. */
function likeTest({ segments }: LikePattern): TextTest {
  const first = segments[0]!;
  if (segments.length === 1) return (bytes, start, end) => matchAt(bytes, start, end, first) === end;
  const middle = segments.slice(1, -1).filter((segment) => segment.length > 0);
  const last = segments.at(-1)!;
  return (bytes, start, end) => {
    let at = matchAt(bytes, start, end, first);
    for (let i = 0; i < middle.length && at >= 0; i++) at = matchFrom(bytes, at, end, middle[i]!);
    return at >= 0 && matchesEnd(bytes, at, end, last);
  };
}

/** Where `segment`, matched at `at`, ends; -1 when it doesn't match. */
function matchAt(bytes: Uint8Array, at: number, end: number, segment: LikeSegment): number {
  for (const unit of segment) {
    if (at >= end) return -1;
    if (unit === ANY_CODE_POINT) at = Math.min(at + codePointBytes(bytes[at]!), end);
    else if (bytes[at++] !== unit) return -1;
  }
  return at;
}

/** Where the first match of `segment` at or after `from` ends; -1 when there is none. */
function matchFrom(bytes: Uint8Array, from: number, end: number, segment: LikeSegment): number {
  const first = segment[0]!;
  for (let at = from; at < end; at += codePointBytes(bytes[at]!)) {
    if (first !== ANY_CODE_POINT && bytes[at] !== first) continue;
    const matched = matchAt(bytes, at, end, segment);
    if (matched >= 0) return matched;
  }
  return -1;
}

/** Whether `segment` matches a text that ends at `end` and begins no earlier than `from`. */
function matchesEnd(bytes: Uint8Array, from: number, end: number, segment: LikeSegment): boolean {
  let at = end;
  for (let i = segment.length - 1; i >= 0; i--) {
    if (at <= from) return false;
    const unit = segment[i]!;
    at--;
    if (unit === ANY_CODE_POINT) while (at > from && isContinuation(bytes[at]!)) at--;
    else if (bytes[at] !== unit) return false;
  }
  return true;
}

function codePointBytes(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
