import { FormatError } from '../byte-source.ts';

/**
 * `count` levels of a page: runs and packed bits, as the format's hybrid encoding has them. Levels that the bytes do not
 * hold are an error.
 * @throws FormatError
 */
export function readLevels(bytes: Uint8Array, bitWidth: number, count: number): Uint8Array {
  const levels = new Uint8Array(count);
  const mask = (1 << bitWidth) - 1;
  let at = 0;
  let filled = 0;
  while (filled < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) throw new FormatError('a page has damaged levels');
      const byte = bytes[at++]!;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    header >>>= 0;
    if ((header & 1) === 0) {
      const run = header >>> 1;
      if (at >= bytes.length || run === 0) throw new FormatError('a page has damaged levels');
      levels.fill(bytes[at++]! & mask, filled, filled + run);
      filled += run;
      continue;
    }
    const groups = header >>> 1;
    const packedBytes = groups * bitWidth;
    if (groups === 0 || at + packedBytes > bytes.length) throw new FormatError('a page has damaged levels');
    const end = Math.min(count, filled + 8 * groups);
    for (let bit = 0; filled < end; filled++, bit += bitWidth) {
      const byteAt = at + (bit >> 3);
      const word = bytes[byteAt]! | ((bytes[byteAt + 1] ?? 0) << 8);
      levels[filled] = (word >> (bit & 7)) & mask;
    }
    at += packedBytes;
  }
  return levels;
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
