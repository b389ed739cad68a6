import { bitsOfWord, type ColumnSource, type RowFilter, type RowTest } from '@elanus/expr';

/** Rows that a filter is given at a time at most; costly filters ask for fewer. */
const MATCHED_AT_ONCE = 1024;

/** Of each byte how many bits are set. */
export const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let bits = byte; bits > 0; bits >>= 1) count += bits & 1;
  return count;
});

const matches = new Uint8Array(MATCHED_AT_ONCE + 8);
const words = new Uint32Array(matches.buffer);

/** The same of filters that answer in bits. */
const BITS_AT_ONCE = 16_384;

/** Rows to give `filter` at a time: a multiple of 8. */
export function rowsAtOnce(filter: RowFilter): number {
  if (filter.bits !== undefined) return BITS_AT_ONCE;
  return Math.min(filter.rowsAtOnce ?? MATCHED_AT_ONCE, MATCHED_AT_ONCE);
}

/**
 * Sets or clears the bits of the rows `start .. end` of `source` as they match, at most `rowsAtOnce` of them, in
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
  if (filter.bits !== undefined) {
    filter.bits({ source, start, end }, bits, firstByte);
    return countBytes(bits, firstByte, firstByte + ((count + 7) >> 3));
  }
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

/** Tests the rows whose bits are set, of which the first is `firstRow`, and clears those that do not match; how many are left. */
export function keepMatching(test: RowTest, firstRow: number, bits: Uint8Array): number {
  let left = 0;
  for (let at = 0; at < bits.length; at++) {
    for (let rest = bits[at]!; rest !== 0; rest &= rest - 1) {
      const bit = 31 - Math.clz32(rest & -rest);
      if (test(firstRow + 8 * at + bit)) left += 1;
      else bits[at]! &= ~(1 << bit);
    }
  }
  return left;
}

const one = new Uint8Array(1);

/** The test of single rows by a filter that knows none of its own. */
export function testOfFilter(filter: RowFilter, source: ColumnSource): RowTest {
  return (row) => {
    filter(source, row, row + 1, one);
    return one[0] === 1;
  };
}

/** How many bits of the bytes `from .. to` are set; quick where four of them make a whole word. */
function countBytes(bits: Uint8Array, from: number, to: number): number {
  let count = 0;
  let at = from;
  if ((bits.byteOffset + from) % 4 === 0) {
    const words = new Int32Array(bits.buffer, bits.byteOffset + from, (to - from) >> 2);
    for (let i = 0; i < words.length; i++) if (words[i] !== 0) count += bitsOfWord(words[i]!);
    at += words.byteLength;
  }
  for (; at < to; at++) count += BITS_SET[bits[at]!]!;
  return count;
}

/** How many of the first `rows` bits are set. */
export function countBits(bits: Uint8Array, rows: number): number {
  const whole = rows >> 3;
  const rest = rows & 7;
  const count = countBytes(bits, 0, whole);
  return rest === 0 ? count : count + BITS_SET[bits[whole]! & ((1 << rest) - 1)]!;
}
