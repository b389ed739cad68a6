/**
 * 64-bit hashes of values, as two words of 32 bits. Filters in files are made of them: they never change. Whoever
 * chooses keys can make them collide, which costs look-ups in vain and nothing else.
 */
export interface KeyHash {
  low: number;
  high: number;
}

const LOW_SEED = 0x9747b28c;
const HIGH_SEED = 0x5bd1e995;

/** Hashes the eight bytes of an integer or a float, given as two words. */
export function hashWords(low: number, high: number, into: KeyHash): void {
  into.low = finalised(mixed(mixed(LOW_SEED, low), high) ^ 8);
  into.high = finalised(mixed(mixed(HIGH_SEED, high), low) ^ 8);
}

/** Hashes `bytes[start .. end)`. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, into: KeyHash): void {
  let low = LOW_SEED;
  let high = HIGH_SEED;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    low = mixed(low, word);
    high = mixed(high, Math.imul(word, 0x01000193));
  }
  let rest = 0;
  for (let shift = 0; at < end; at++, shift += 8) rest |= bytes[at]! << shift;
  low = mixed(low, rest);
  high = mixed(high, Math.imul(rest, 0x01000193));
  into.low = finalised(low ^ (end - start));
  into.high = finalised(high ^ (end - start) ^ low);
}

/** A round of MurmurHash3 (Austin Appleby, public domain). */
function mixed(state: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const turned = Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  const next = state ^ turned;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

/** Spreads each bit over all of them. */
function finalised(state: number): number {
  let word = state;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
