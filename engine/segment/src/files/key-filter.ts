import { DataType, type KeyColumn } from '@elanus/model';
import { wordsOf } from '../key-order.ts';
import { hashBytes, hashWords, type KeyHash } from './key-hash.ts';

/** Eight words of 32 bits: half a cache line, one bit set in each word for each key. */
const BLOCK_WORDS = 8;
const BLOCK_BYTES = 4 * BLOCK_WORDS;
/** One key in about 180 that is not there seems to be. */
const BITS_PER_KEY = 12;
/** Odd numbers that turn one word of a hash into a bit of each word of its block. */
const SALTS = Uint32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);
/** 2^31 keys. */
export const KEY_FILTER_BYTES_MAX = BLOCK_BYTES * 2 ** 27;

/** Bytes of a filter for this many keys: whole blocks, at least one. */
export function keyFilterBytes(keys: number): number {
  return BLOCK_BYTES * Math.max(1, Math.ceil((keys * BITS_PER_KEY) / (8 * BLOCK_BYTES)));
}

/**
 * Which keys can't be in a segment: a blocked Bloom filter (Putze, Sanders, Singler 2007), one block of 32 bytes a key.
 * Knows every key that was added, and some that were not.
 */
export class KeyFilter {
  /** Whole blocks, little-endian. */
  readonly bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #blocks: number;
  readonly #hash: KeyHash = { low: 0, high: 0 };

  /** Over `bytes`, whole blocks at a multiple of 4; they are the filter's from then on. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    this.#blocks = bytes.length / BLOCK_BYTES;
  }

  static forKeys(keys: number): KeyFilter {
    return new KeyFilter(new Uint8Array(keyFilterBytes(keys)));
  }

  /** Whether `bytes` could be a filter. */
  static isSound(bytes: number): boolean {
    return bytes >= BLOCK_BYTES && bytes <= KEY_FILTER_BYTES_MAX && bytes % BLOCK_BYTES === 0;
  }

  /** Adds keys `start .. end` of a column. */
  add(keys: KeyColumn, start: number, end: number): void {
    const hash = keyHasher(keys);
    for (let row = start; row < end; row++) {
      hash(row, this.#hash);
      const { low, high } = this.#hash;
      const block = this.#blockOf(high);
      for (let i = 0; i < BLOCK_WORDS; i++) this.#words[block + i]! |= bitOf(low, i);
    }
  }

  /** Sets `found[i]` to 1 when key `start + i` may have been added, otherwise to 0. */
  mayHold(keys: KeyColumn, start: number, end: number, found: Uint8Array): void {
    const hash = keyHasher(keys);
    for (let row = start; row < end; row++) {
      hash(row, this.#hash);
      found[row - start] = this.holds(this.#hash) ? 1 : 0;
    }
  }

  /** Whether a key with this hash, by `keyHasher`, may have been added. */
  holds({ low, high }: KeyHash): boolean {
    const block = this.#blockOf(high);
    for (let i = 0; i < BLOCK_WORDS; i++) {
      if ((this.#words[block + i]! & bitOf(low, i)) === 0) return false;
    }
    return true;
  }

  /** The word where the block begins that a hash falls into. Rounding never reaches the block behind the last. */
  #blockOf(high: number): number {
    return BLOCK_WORDS * Math.floor((high / 2 ** 32) * this.#blocks);
  }
}

function bitOf(low: number, word: number): number {
  return 1 << (Math.imul(low, SALTS[word]!) >>> 27);
}

/** The hash, as filters have it, of the key in a row. */
export function keyHasher(keys: KeyColumn): (row: number, into: KeyHash) => void {
  if (keys.dataType === DataType.VarChar) {
    const { bytes, offsets } = keys;
    return (row, into) => hashBytes(bytes, offsets[row]!, offsets[row + 1]!, into);
  }
  const words = wordsOf(keys.values);
  return (row, into) => hashWords(words[2 * row]!, words[2 * row + 1]!, into);
}
