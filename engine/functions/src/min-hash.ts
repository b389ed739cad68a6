import { hash } from 'node:crypto';
import { hashTexts, minHash } from '@elanus/kernel';
import {
  DataType,
  type DenseVectorColumn,
  type FieldSchema,
  invalidParameter,
  type KeyValue,
} from '@elanus/model';
import type { Analyzer } from './analyzer.ts';
import { charShingles, type Shingles, wordShingles } from './shingles.ts';
import type { Texts } from './term-vectors.ts';
import type { Work } from './work.ts';

/** How a MinHash function makes a vector of a text. */
export interface MinHashOptions {
  /** Numbers of 32 bits in a vector. */
  readonly hashes: number;
  /** Tokens of a shingle: 1 or more. */
  readonly shingleSize: number;
  readonly tokenLevel: 'word' | 'char';
  readonly hashFunction: 'xxhash64' | 'sha1';
  readonly seed: bigint;
}

const BITS_PER_HASH = 32;
const SHINGLE_SIZE_USUAL = 3;
const SHINGLE_SIZE_MAX = 65_535;
const SEED_USUAL = 1234n;

/**
 * What the parameters of a MinHash function say whose output is `field`, a binary vector.
 * @throws MilvusError 1100 in Milvus' words
 */
export function readMinHashOptions(
  params: readonly KeyValue[],
  { name, dim }: Pick<FieldSchema, 'name' | 'dim'>,
): MinHashOptions {
  const texts = new Map(params.map(({ key, value }) => [key.toLowerCase(), value]));
  const hashes = positive(texts, 'num_hashes');
  checkDim(name, dim!, hashes);
  return {
    hashes: dim! / BITS_PER_HASH,
    // No text has more tokens.
    shingleSize: Math.min(positive(texts, 'shingle_size') ?? SHINGLE_SIZE_USUAL, SHINGLE_SIZE_MAX),
    tokenLevel: tokenLevel(texts.get('token_level') ?? 'word'),
    hashFunction: hashFunction(texts.get('hash_function') ?? 'xxhash64'),
    seed: integer(texts, 'seed') ?? SEED_USUAL,
  };
}

function checkDim(name: string, dim: number, hashes: number | undefined): void {
  if (hashes === undefined) {
    if (dim % BITS_PER_HASH === 0) return;
    throw invalidParameter(
      `minhash function output field '${name}' dim ${dim} is not multiple of 32 (one minhash signature size)`,
    );
  }
  const wanted = hashes * BITS_PER_HASH;
  if (dim === wanted) return;
  throw invalidParameter(
    `minhash function output field '${name}' dim ${dim} does not match expected dim ${wanted} (numHashes ${hashes} * one minhash signature size of 32bit)`,
  );
}

function integer(texts: ReadonlyMap<string, string>, key: string): bigint | undefined {
  const text = texts.get(key);
  if (text === undefined) return undefined;
  const value = /^[+-]?\d+$/.test(text) ? BigInt(text) : null;
  if (value === null || BigInt.asIntN(64, value) !== value)
    throw invalidParameter(`param ${key}:${text} is not a number`);
  return value;
}

function positive(texts: ReadonlyMap<string, string>, key: string): number | undefined {
  const value = integer(texts, key);
  if (value === undefined || value > 0n) return value === undefined ? undefined : Number(value);
  throw invalidParameter(`param ${key}:${value} must be positive`);
}

function tokenLevel(text: string): MinHashOptions['tokenLevel'] {
  switch (text.toLowerCase()) {
    case 'word':
      return 'word';
    case 'char':
    case 'character':
      return 'char';
    default:
      throw invalidParameter(`unknown token_level: ${text} (expected 'char' or 'word')`);
  }
}

function hashFunction(text: string): MinHashOptions['hashFunction'] {
  switch (text.toLowerCase()) {
    case 'xxhash':
    case 'xxhash64':
      return 'xxhash64';
    case 'sha1':
      return 'sha1';
    default:
      throw invalidParameter(`unknown hash function: ${text} (expected 'xxhash64' or 'sha1')`);
  }
}

/** Vectors of one request: short texts may have long ones. */
const VECTORS_BYTES_MAX = 256 * 1024 * 1024;
/** What is done between two yields, about a millisecond: hashes times permutations, bytes hashed, calls of SHA-1. */
const SLICE_STEPS = 500_000;
const SLICE_BYTES = 1024 * 1024;
const SLICE_DIGESTS = 512;
/** Steps that a row costs beside its shingles. */
const ROW_STEPS = 2_000;
/** The number of a permutation that no shingle has lowered. */
const NONE = 0xffff_ffff;

/**
 * For each text the signature of its set of shingles, as a binary vector: its 32-bit numbers, little-endian. Of two texts
 * about as large a share of them is equal as their sets have in common. A text without a token, and null, gives a vector
 * of ones. `analyzerOf` is asked for each row that has a text, where tokens are words.
 * @throws MilvusError 1100 when the vectors would take more than 256 MiB
 */
export function* minHashVectors(
  { length, validity, offsets, bytes }: Texts,
  options: MinHashOptions,
  analyzerOf: (row: number) => Analyzer,
): Work<DenseVectorColumn> {
  const { hashes, tokenLevel, shingleSize } = options;
  if (length * hashes * 4 > VECTORS_BYTES_MAX)
    throw invalidParameter(
      `the minhash vectors of ${length} rows take more than ${VECTORS_BYTES_MAX} bytes, send fewer rows at a time`,
    );
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vectors = new Uint32Array(length * hashes);
  let steps = 0;
  for (let row = 0; row < length; row++) {
    const signature = vectors.subarray(row * hashes, (row + 1) * hashes).fill(NONE);
    const [start, end] = [offsets[row]!, offsets[row + 1]!];
    steps += ROW_STEPS + hashes;
    if (end > start && validity?.[row] !== 0) {
      const shingles =
        tokenLevel === 'char'
          ? charShingles(source.subarray(start, end), shingleSize)
          : yield* wordShingles(
              yield* analyzerOf(row).analyzing(source.toString('utf8', start, end)),
              shingleSize,
            );
      steps += shingles.starts.length * hashes;
      yield* lowering(signature, shingles, options);
    }
    if (steps < SLICE_STEPS) continue;
    steps = 0;
    yield;
  }
  return {
    dataType: DataType.BinaryVector,
    length,
    validity: null,
    dim: hashes * BITS_PER_HASH,
    bytes: new Uint8Array(vectors.buffer),
  };
}

/** Lowers a signature by all shingles, some at a time. */
function* lowering(signature: Uint32Array, shingles: Shingles, options: MinHashOptions): Work<void> {
  const { bytes, starts, ends } = shingles;
  const atOnceMax = Math.max(
    1,
    Math.min(
      Math.floor(SLICE_STEPS / signature.length),
      options.hashFunction === 'sha1' ? SLICE_DIGESTS : SLICE_STEPS,
    ),
  );
  for (let from = 0; from < starts.length; ) {
    if (from > 0) yield;
    let to = from;
    for (let size = 0; to < starts.length && to - from < atOnceMax && size < SLICE_BYTES; to++)
      size += ends[to]! - starts[to]!;
    const hashes = new BigUint64Array(to - from);
    if (options.hashFunction === 'sha1') digest(bytes, starts, ends, from, hashes);
    else hashTexts(bytes, starts.subarray(from, to), ends.subarray(from, to), hashes);
    minHash(hashes, options.seed, signature);
    from = to;
  }
}

/** The first eight bytes of the SHA-1 of each shingle from `from` on. */
function digest(
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
  from: number,
  hashes: BigUint64Array,
): void {
  for (let at = 0; at < hashes.length; at++)
    hashes[at] = hash(
      'sha1',
      bytes.subarray(starts[from + at]!, ends[from + at]!),
      'buffer',
    ).readBigUInt64LE();
}
