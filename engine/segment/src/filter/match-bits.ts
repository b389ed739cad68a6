import type { ColumnSource, RowFilter } from '@elanus/expr';

/** Rows that a filter is given at a time at most; costly filters ask for fewer. */
export const MATCHED_AT_ONCE = 1024;

/** Of each byte how many bits are set. */
export const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let bits = byte; bits > 0; bits >>= 1) count += bits & 1;
  return count;
});

const matches = new Uint8Array(MATCHED_AT_ONCE + 8);
const words = new Uint32Array(matches.buffer);

/** Rows to give `filter` at a time: a multiple of 8. */
export function rowsAtOnce(filter: RowFilter): number {
  return Math.min(filter.rowsAtOnce ?? MATCHED_AT_ONCE, MATCHED_AT_ONCE);
}

/**
 * Sets or clears the bits of the rows `start .. end` of `source` as they match, at most `MATCHED_AT_ONCE` of them, in
 * `bits` from byte `firstByte` on; those of the last byte beyond `end` are cleared. Returns how many match.
 */
export function matchBits(
  filter: RowFilter,
  source: ColumnSource,
  start: number,
  end: number,
  bits: Uint8Array,
  firstByte = start >> 3,
): number {
  const count = end - start;
  filter(source, start, end, matches.subarray(0, count));
  matches.fill(0, count, count + 8);
  let matched = 0;
  for (let word = 0, at = firstByte; word * 4 < count; word += 2, at++) {
    // Bytes that are 0 or 1 become neighbouring bits.
    const low = words[word]!;
    const high = words[word + 1]!;
    const byte =
      ((low | (low >>> 7) | (low >>> 14) | (low >>> 21)) & 15) |
      (((high | (high >>> 7) | (high >>> 14) | (high >>> 21)) & 15) << 4);
    bits[at] = byte;
    matched += BITS_SET[byte]!;
  }
  return matched;
}

/** How many of the first `rows` bits are set. */
export function countBits(bits: Uint8Array, rows: number): number {
  let count = 0;
  const whole = rows >> 3;
  for (let at = 0; at < whole; at++) count += BITS_SET[bits[at]!]!;
  const rest = rows & 7;
  return rest === 0 ? count : count + BITS_SET[bits[whole]! & ((1 << rest) - 1)]!;
}
