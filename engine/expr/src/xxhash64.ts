/**
 * XXH64 with the seed 0, as in https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. The language has no integers
 * of 64 bits that are quick, so each is a high and a low half of 32 bits; a hash is left in `hashHigh` and `hashLow`.
 */

/** The halves of the last hash. Nothing else may run between a hash and whoever reads it. */
export let hashHigh = 0;
export let hashLow = 0;

interface Halves {
  readonly high: number;
  readonly low: number;
}

function halves(value: bigint): Halves {
  return { high: Number(BigInt.asIntN(32, value >> 32n)), low: Number(BigInt.asIntN(32, value)) };
}

const PRIME_1 = halves(0x9e3779b185ebca87n);
const PRIME_2 = halves(0xc2b2ae3d27d4eb4fn);
const PRIME_3 = halves(0x165667b19e3779f9n);
const PRIME_4 = halves(0x85ebca77c2b2ae63n);
const PRIME_5 = halves(0x27d4eb2f165667c5n);

/** Bytes that the four lanes take in at a time. */
const STRIPE_BYTES = 32;
const LANE_STARTS: readonly Halves[] = [
  halves(0x9e3779b185ebca87n + 0xc2b2ae3d27d4eb4fn),
  PRIME_2,
  { high: 0, low: 0 },
  halves(-0x9e3779b185ebca87n),
];
const LANE_TURNS = [1, 7, 12, 18] as const;
const laneHighs = new Int32Array(LANE_STARTS.length);
const laneLows = new Int32Array(LANE_STARTS.length);

/** Hashes the 8 bytes of an integer, the lowest first. */
export function hashInteger(high: number, low: number): void {
  set(PRIME_5);
  add(0, 8);
  mixWord(high, low);
  avalanche();
}

/** Hashes `bytes[start .. end)`. */
export function hashText(bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  let at = start;
  if (length < STRIPE_BYTES) set(PRIME_5);
  else {
    at = mixStripes(bytes, start, end);
    joinLanes();
  }
  add(Math.floor(length / 2 ** 32), length);
  for (; at + 8 <= end; at += 8) mixWord(wordAt(bytes, at + 4), wordAt(bytes, at));
  if (at + 4 <= end) {
    mixHalf(wordAt(bytes, at));
    at += 4;
  }
  for (; at < end; at++) mixByte(bytes[at]!);
  avalanche();
}

/** Takes whole stripes into the lanes; where the rest begins. */
function mixStripes(bytes: Uint8Array, start: number, end: number): number {
  for (const [lane, { high, low }] of LANE_STARTS.entries()) {
    laneHighs[lane] = high;
    laneLows[lane] = low;
  }
  let at = start;
  for (; at + STRIPE_BYTES <= end; at += STRIPE_BYTES)
    for (let lane = 0; lane < 4; lane++) {
      const word = at + 8 * lane;
      round(laneHighs[lane]!, laneLows[lane]!, wordAt(bytes, word + 4), wordAt(bytes, word));
      laneHighs[lane] = hashHigh;
      laneLows[lane] = hashLow;
    }
  return at;
}

function joinLanes(): void {
  let high = 0;
  let low = 0;
  for (const [lane, turns] of LANE_TURNS.entries()) {
    hashHigh = laneHighs[lane]!;
    hashLow = laneLows[lane]!;
    turn(turns);
    add(high, low);
    high = hashHigh;
    low = hashLow;
  }
  for (let lane = 0; lane < 4; lane++) {
    round(0, 0, laneHighs[lane]!, laneLows[lane]!);
    hashHigh ^= high;
    hashLow ^= low;
    multiply(PRIME_1);
    add(PRIME_4.high, PRIME_4.low);
    high = hashHigh;
    low = hashLow;
  }
}

/** A lane, and what becomes of it with another word. */
function round(laneHigh: number, laneLow: number, wordHigh: number, wordLow: number): void {
  hashHigh = wordHigh;
  hashLow = wordLow;
  multiply(PRIME_2);
  add(laneHigh, laneLow);
  turn(31);
  multiply(PRIME_1);
}

function mixWord(wordHigh: number, wordLow: number): void {
  const high = hashHigh;
  const low = hashLow;
  round(0, 0, wordHigh, wordLow);
  hashHigh ^= high;
  hashLow ^= low;
  turn(27);
  multiply(PRIME_1);
  add(PRIME_4.high, PRIME_4.low);
}

function mixHalf(word: number): void {
  const high = hashHigh;
  const low = hashLow;
  hashHigh = 0;
  hashLow = word;
  multiply(PRIME_1);
  hashHigh ^= high;
  hashLow ^= low;
  turn(23);
  multiply(PRIME_2);
  add(PRIME_3.high, PRIME_3.low);
}

function mixByte(byte: number): void {
  const high = hashHigh;
  const low = hashLow;
  hashHigh = 0;
  hashLow = byte;
  multiply(PRIME_5);
  hashHigh ^= high;
  hashLow ^= low;
  turn(11);
  multiply(PRIME_1);
}

function avalanche(): void {
  // By 33: the high half, shifted by 1, falls upon the low one.
  hashLow ^= hashHigh >>> 1;
  multiply(PRIME_2);
  hashLow ^= (hashLow >>> 29) | (hashHigh << 3);
  hashHigh ^= hashHigh >>> 29;
  multiply(PRIME_3);
  hashLow ^= hashHigh;
}

function set({ high, low }: Halves): void {
  hashHigh = high;
  hashLow = low;
}

function add(high: number, low: number): void {
  const sum = (hashLow >>> 0) + (low >>> 0);
  hashLow = sum | 0;
  hashHigh = (hashHigh + high + (sum > 0xffffffff ? 1 : 0)) | 0;
}

/** Rotates to the left by 1 to 31 bits. */
function turn(bits: number): void {
  const high = hashHigh;
  hashHigh = (high << bits) | (hashLow >>> (32 - bits));
  hashLow = (hashLow << bits) | (high >>> (32 - bits));
}

/** The low 64 bits of the product. */
function multiply({ high, low }: Halves): void {
  const crossed = Math.imul(hashHigh, low) + Math.imul(hashLow, high);
  // The upper half of low times low, by pieces of 16 bits: every sum stays below 2^32.
  const upper = hashLow >>> 16;
  const lower = hashLow & 0xffff;
  const otherUpper = low >>> 16;
  const otherLower = low & 0xffff;
  const first = upper * otherLower + ((lower * otherLower) >>> 16);
  const second = lower * otherUpper + (first & 0xffff);
  const carried = upper * otherUpper + (first >>> 16) + (second >>> 16);
  hashLow = Math.imul(hashLow, low);
  hashHigh = (carried + crossed) | 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
