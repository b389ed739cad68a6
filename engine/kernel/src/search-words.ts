/** A search as the words that `src/binding/exact_search_binding.cc` reads: numbers and addresses, in its order. */
import type { MetricType, VectorType } from '@elanus/model';
import type { Addresses } from './addresses.ts';
import { bm25Words, minHashWords, requireInteger, requireLength, vectorBytes } from './checks.ts';
import {
  type BlockKeys,
  CODE_FACTORS,
  type ExactHits,
  type ExactSearch,
  type VectorBlock,
  type VectorCodes,
} from './kernel.ts';

const SPARSE = 104 satisfies VectorType;
const QUERY_COUNT_MAX = 16_384;
const K_MAX = 16_384;
const HEADER_WORDS = 24;
const BLOCK_WORDS = 14;

/** The number of each metric in the C header, and the bound that keeps all scores. */
const METRIC: Readonly<Partial<Record<MetricType, { readonly number: number; readonly worst: number }>>> = {
  L2: { number: 0, worst: Infinity },
  IP: { number: 1, worst: -Infinity },
  COSINE: { number: 2, worst: -Infinity },
  HAMMING: { number: 3, worst: Infinity },
  JACCARD: { number: 4, worst: Infinity },
  SUBSTRUCTURE: { number: 5, worst: Infinity },
  SUPERSTRUCTURE: { number: 6, worst: Infinity },
  BM25: { number: 7, worst: -Infinity },
  MHJACCARD: { number: 8, worst: -Infinity },
};

/** Bytes that the comparison of one query with all rows reads. */
export function bytesPerQuery(search: ExactSearch): number {
  let bytes = 0;
  for (const { bytes: vectors, rows, codes } of search.blocks) {
    if (search.dataType === SPARSE) {
      bytes += vectors.length;
      continue;
    }
    // Of coded rows nearly all are read as codes, one byte a dimension.
    const coded = codes?.rows ?? 0;
    bytes += coded * search.dim + (rows - coded) * vectorBytes(search.dataType, search.dim);
  }
  return bytes;
}

/** The bytes of `count` vectors, or of those of `count` lists. @throws RangeError when there are fewer */
function requireVectors(
  what: string,
  { length }: Uint8Array,
  count: number,
  lists: Uint32Array | undefined,
  bytesEach: number,
): void {
  if (lists !== undefined) requireLength(`the lists of ${what}`, lists.length, count + 1);
  requireLength(what, length, (lists?.[count] ?? count) * bytesEach);
}

/** Writes searches into words. */
export class SearchWords {
  readonly #addresses: Addresses;
  #words = new Float64Array(HEADER_WORDS + 64 * BLOCK_WORDS);
  #length = 0;

  constructor(addresses: Addresses) {
    this.#addresses = addresses;
  }

  /**
   * The words of a search; overwritten by the next call.
   * @throws RangeError for a number out of range and an array that is too short
   * @throws TypeError for keys of different types and a metric that the kernel does not have
   */
  write(simd: number, pool: number, search: ExactSearch, hits: ExactHits): Float64Array {
    const { dataType, metric, dim, blocks } = search;
    const metricInKernel = METRIC[metric];
    if (metricInKernel === undefined) throw new TypeError(`the kernel has no metric ${metric}`);
    const keyType = blocks[0]?.keys.type ?? 'int64';
    this.#reserve(HEADER_WORDS + blocks.length * BLOCK_WORDS);
    this.#put(simd);
    this.#put(pool);
    for (const view of [hits.counts, hits.blocks, hits.rows, hits.scores])
      this.#put(this.#addresses.of(view));
    this.#put(dataType);
    this.#put(metricInKernel.number);
    this.#put(dataType === SPARSE ? 0 : dim);
    this.#putQueries(search);
    this.#put(search.k);
    this.#putBounds(search, metricInKernel.worst);
    for (const word of bm25Words(metric, search.bm25)) this.#put(word);
    for (const word of minHashWords(metric, search.minHash)) this.#put(word);
    this.#put(keyType === 'int64' ? 0 : 1);
    this.#put(blocks.length);
    for (const block of blocks) {
      if (block.keys.type !== keyType) throw new TypeError('the keys of all blocks must have one type');
      this.#putBlock(dataType, dim, block);
    }
    return this.#words;
  }

  #reserve(length: number): void {
    if (this.#words.length < length) this.#words = new Float64Array(2 * length);
    this.#length = 0;
  }

  #put(word: number): void {
    this.#words[this.#length++] = word;
  }

  #putQueries(search: ExactSearch): void {
    const { dataType, dim, queries, queryOffsets, queryLists, queryCount } = search;
    requireInteger('queryCount', queryCount, 0, QUERY_COUNT_MAX);
    requireInteger('k', search.k, 1, K_MAX);
    if (dataType === SPARSE) requireLength('queryOffsets', queryOffsets?.length ?? 0, queryCount + 1);
    else requireVectors('queries', queries, queryCount, queryLists, vectorBytes(dataType, dim));
    this.#put(this.#addresses.of(queries));
    this.#put(queries.length);
    this.#put(dataType === SPARSE ? this.#addresses.of(queryOffsets!) : 0);
    this.#put(queryLists === undefined ? 0 : this.#addresses.of(queryLists));
    this.#put(queryCount);
  }

  #putBounds({ radius, rangeFilter }: ExactSearch, worst: number): void {
    if (Number.isNaN(radius) || Number.isNaN(rangeFilter))
      throw new RangeError('radius or rangeFilter is NaN');
    this.#put(radius ?? worst);
    this.#put(rangeFilter ?? -worst);
  }

  #putBlock(dataType: VectorType, dim: number, block: VectorBlock): void {
    const { bytes, offsets, rows, lists, allowed, inverseNorms, codes, keys } = block;
    requireInteger('rows', rows, 0, 2 ** 32 - 2);
    if (dataType === SPARSE) requireLength('offsets', offsets?.length ?? 0, rows + 1);
    else requireVectors('bytes', bytes, rows, lists, vectorBytes(dataType, dim));
    if (allowed !== null) requireLength('allowed', allowed.length, Math.ceil(rows / 8));
    if (inverseNorms !== null) requireLength('inverseNorms', inverseNorms.length, lists?.[rows] ?? rows);
    this.#put(this.#addresses.of(bytes));
    this.#put(bytes.length);
    this.#put(dataType === SPARSE ? this.#addresses.of(offsets!) : 0);
    this.#put(rows);
    this.#put(lists === undefined ? 0 : this.#addresses.of(lists));
    this.#put(allowed === null ? 0 : this.#addresses.of(allowed));
    this.#put(inverseNorms === null ? 0 : this.#addresses.of(inverseNorms));
    this.#putCodes(codes, rows, dim);
    this.#putKeys(keys, rows);
  }

  #putCodes(codes: VectorCodes | undefined, rows: number, dim: number): void {
    if (codes !== undefined) {
      requireInteger('rows of codes', codes.rows, 0, rows);
      requireLength('codes', codes.values.length, codes.rows * dim);
      requireLength('factors of codes', codes.factors.length, codes.rows * CODE_FACTORS);
    }
    this.#put(codes?.rows ?? 0);
    this.#put(codes === undefined ? 0 : this.#addresses.of(codes.values));
    this.#put(codes === undefined ? 0 : this.#addresses.of(codes.factors));
  }

  #putKeys(keys: BlockKeys, rows: number): void {
    if (keys.type === 'int64') {
      requireLength('keys', keys.values.length, rows);
      this.#put(this.#addresses.of(keys.values));
      for (let i = 0; i < 3; i++) this.#put(0);
      return;
    }
    requireLength('key offsets', keys.offsets.length, rows + 1);
    this.#put(0);
    this.#put(this.#addresses.of(keys.offsets));
    this.#put(this.#addresses.of(keys.bytes));
    this.#put(keys.bytes.length);
  }
}
