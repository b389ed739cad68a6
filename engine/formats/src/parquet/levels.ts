import { FormatError } from '../byte-source.ts';

/**
 * `count` levels of a page: runs and packed bits, as the format's hybrid encoding has them. Levels that the bytes do not
 * hold are an error.
 * @throws FormatError
 */
export function readLevels(bytes: Uint8Array, bitWidth: number, count: number): Uint8Array {
  const levels = new Uint8Array(count);
  const mask = (1 << bitWidth) - 1;
  forEachRun(bytes, { bitWidth, count }, (from, to, at, isPacked) => {
    if (!isPacked) {
      levels.fill(bytes[at]! & mask, from, to);
      return;
    }
    for (let place = from, bit = 0; place < to; place++, bit += bitWidth) {
      const byteAt = at + (bit >> 3);
      const word = bytes[byteAt]! | ((bytes[byteAt + 1] ?? 0) << 8);
      levels[place] = (word >> (bit & 7)) & mask;
    }
  });
  return levels;
}

/** Tells of each run of levels `from .. to` where its value, or its packed bits, begin. @throws FormatError */
function forEachRun(
  bytes: Uint8Array,
  { bitWidth, count }: { readonly bitWidth: number; readonly count: number },
  tell: (from: number, to: number, at: number, isPacked: boolean) => void,
): void {
  let at = 0;
  for (let filled = 0; filled < count; ) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) throw new FormatError('a page has damaged levels');
      const byte = bytes[at++]!;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    header >>>= 0;
    const isPacked = (header & 1) === 1;
    const units = header >>> 1;
    const runBytes = isPacked ? units * bitWidth : 1;
    if (units === 0 || at + runBytes > bytes.length) throw new FormatError('a page has damaged levels');
    const end = Math.min(count, filled + (isPacked ? 8 * units : units));
    tell(filled, end, at, isPacked);
    filled = end;
    at += runBytes;
  }
}

/**
 * Which of `count` levels of one bit are 0, ascending: of a leaf that repeats once, where rows begin. Runs of ones, which lists
 * of numbers are for the most part, cost nothing for each of them.
 * @throws FormatError as `readLevels`
 */
export function zerosOf(bytes: Uint8Array, count: number): Uint32Array {
  let zeros = new Uint32Array(64);
  let found = 0;
  const note = (from: number, to: number): void => {
    while (found + to - from > zeros.length) {
      const grown = new Uint32Array(Math.min(2 * zeros.length, count));
      grown.set(zeros);
      zeros = grown;
    }
    for (let at = from; at < to; at++) zeros[found++] = at;
  };
  forEachRun(bytes, { bitWidth: 1, count }, (from, to, at, isPacked) => {
    if (!isPacked) {
      if ((bytes[at]! & 1) === 0) note(from, to);
      return;
    }
    for (let place = from; place < to; place++) {
      const bit = place - from;
      if (((bytes[at + (bit >>> 3)]! >>> (bit & 7)) & 1) === 0) note(place, place + 1);
    }
  });
  return zeros.subarray(0, found);
}

/**
 * Whether all `count` levels are `level`, as those of a column without nulls are: writers put them into one run. False when
 * that takes a closer look.
 */
export function areOneRun(bytes: Uint8Array, level: number, count: number): boolean {
  let header = 0;
  let at = 0;
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = bytes[at++] ?? 0;
    header |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return (header & 1) === 0 && header >>> 1 >= count && bytes[at] === level;
}

/** Bits that hold levels up to this one: 0 to 8. */
export function levelBits(maxLevel: number): number {
  return 32 - Math.clz32(maxLevel);
}
