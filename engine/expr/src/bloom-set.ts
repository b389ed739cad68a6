import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';
import type { Work } from './work.ts';

/**
 * Values that are probably in a set, and none that is certainly not: a split-block Bloom filter as Parquet defines it
 * (https://github.com/apache/parquet-format/blob/master/BloomFilter.md), over XXH64.
 */
export interface BloomSet {
  readonly kind: 'bloom';
  /** 8 words a block, a power of two of blocks. */
  readonly words: Int32Array;
  /** What kinds of values were put in: their hashes look alike, so a value of another kind would be found by accident. */
  readonly hasIntegers: boolean;
  readonly hasTexts: boolean;
}

export const MBF1_MAGIC = 'MBF1';

/** The envelope that clients send the filter in; numbers are little-endian. */
const MBF1 = {
  versionAt: 4,
  version: 1,
  algorithmAt: 6,
  /** Parquet's blocks over XXH64. */
  algorithm: 1,
  blocksAt: 24,
  domainsAt: 28,
  reservedAt: 29,
  bytes: 32,
} as const;
const DOMAIN = { integers: 1, texts: 2 } as const;

const BLOCK_WORDS = 8;
const BLOCK_BYTES = 4 * BLOCK_WORDS;
/** Odd factors, one a word, that choose its bit. */
const SALTS = Int32Array.of(
  ...[0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d],
  ...[0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31],
);
/** Bytes that are copied in about a tenth of a millisecond. */
const SLICE_BYTES = 1024 * 1024;

/** Reads a filter in its envelope, in slices. @throws FilterError for one that is not whole and sound */
export function* readingBloomSet(blob: Uint8Array): Work<BloomSet> {
  const bytes = blob.length - MBF1.bytes;
  if (bytes > FILTER_LIMITS.memberSetBytesMax)
    throw invalid(
      `its body is ${bytes} bytes, of which ${FILTER_LIMITS.memberSetBytesMax} are taken at most`,
    );
  if (bytes < 0)
    throw invalid(`bloom filter blob too short: ${blob.length} bytes, need at least ${MBF1.bytes}`);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const version = view.getUint16(MBF1.versionAt, true);
  if (version !== MBF1.version)
    throw invalid(`unsupported bloom filter version ${version}, expected ${MBF1.version}`);
  const algorithm = view.getUint16(MBF1.algorithmAt, true);
  if (algorithm !== MBF1.algorithm)
    throw invalid(`unsupported bloom filter algo ${algorithm}, expected ${MBF1.algorithm}`);
  const domains = blob[MBF1.domainsAt]!;
  if (domains > (DOMAIN.integers | DOMAIN.texts))
    throw invalid(`bloom filter declares unknown value domains ${domains}`);
  if (blob.subarray(MBF1.reservedAt, MBF1.bytes).some((byte) => byte !== 0))
    throw invalid('bloom filter reserved field must be 0');
  const blocks = view.getUint32(MBF1.blocksAt, true);
  if (blocks === 0 || (blocks & (blocks - 1)) !== 0)
    throw invalid(`bloom filter num_blocks ${blocks} is not a power of two`);
  if (bytes !== blocks * BLOCK_BYTES)
    throw invalid(
      `bloom filter body length ${bytes} does not match num_blocks ${blocks} (want ${blocks * BLOCK_BYTES} bytes)`,
    );
  return {
    kind: 'bloom',
    words: new Int32Array((yield* copying(blob, MBF1.bytes)).buffer),
    hasIntegers: (domains & DOMAIN.integers) !== 0,
    hasTexts: (domains & DOMAIN.texts) !== 0,
  };
}

/** The bytes from `start` on in memory that threads share, aligned. */
export function* copying(blob: Uint8Array, start: number): Work<Uint8Array<SharedArrayBuffer>> {
  const copy = new Uint8Array(new SharedArrayBuffer(blob.length - start));
  for (let at = 0; at < copy.length; at += SLICE_BYTES) {
    if (at > 0) yield;
    copy.set(blob.subarray(start + at, start + Math.min(copy.length, at + SLICE_BYTES)), at);
  }
  return copy;
}

function invalid(reason: string): FilterError {
  return new FilterError(`membership_match bloom filter blob is invalid: ${reason}`, 'fill');
}

/** Whether the value with this hash, given as halves, is probably in the set. */
export function hasHash(words: Int32Array, high: number, low: number): boolean {
  const blocks = words.length / BLOCK_WORDS;
  // The upper half of the product of the high half and the number of blocks, which is a power of two.
  const block = blocks === 1 ? 0 : high >>> (Math.clz32(blocks) + 1);
  const first = block * BLOCK_WORDS;
  for (let word = 0; word < BLOCK_WORDS; word++) {
    const bit = 1 << (Math.imul(low, SALTS[word]!) >>> 27);
    if ((words[first + word]! & bit) === 0) return false;
  }
  return true;
}
