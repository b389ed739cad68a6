/** A search as the words that `src/binding/exact_search_binding.cc` reads: numbers and addresses, in its order. */
import type { DenseVectorType, MetricType, VectorType } from '@elanus/model';
import {
  type BlockKeys,
  CODE_FACTORS,
  type ExactHits,
  type ExactSearch,
  type VectorBlock,
  type VectorCodes,
} from './kernel.ts';
import type { NativeKernel } from './native.ts';

const SPARSE = 104 satisfies VectorType;
const QUERY_COUNT_MAX = 16_384;
const K_MAX = 16_384;
const HEADER_WORDS = 18;
const BLOCK_WORDS = 13;

/** The number of each metric in the C header, and the bound that keeps all scores. */
const METRIC: Readonly<Partial<Record<MetricType, { readonly number: number; readonly worst: number }>>> = {
  L2: { number: 0, worst: Infinity },
  IP: { number: 1, worst: -Infinity },
  COSINE: { number: 2, worst: -Infinity },
  HAMMING: { number: 3, worst: Infinity },
  JACCARD: { number: 4, worst: Infinity },
  SUBSTRUCTURE: { number: 5, worst: Infinity },
  SUPERSTRUCTURE: { number: 6, worst: Infinity },
};

const BITS_PER_DIMENSION: Readonly<Record<DenseVectorType, number>> = {
  100: 1,
  101: 32,
  102: 16,
  103: 16,
  105: 8,
};

function vectorBytes(dataType: DenseVectorType, dim: number): number {
  return (BITS_PER_DIMENSION[dataType] * dim) / 8;
}

type View = Uint8Array | Int8Array | Uint32Array | Float32Array | BigInt64Array;

function requireLength(what: string, length: number, lengthMin: number): void {
  if (length < lengthMin) throw new RangeError(`${what} has ${length} elements, needs ${lengthMin}`);
}

function requireInteger(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${what} is ${value}, must be an integer from ${min} to ${max}`);
}

/** Bytes that the comparison of one query with all rows reads. */
export function bytesPerQuery(search: ExactSearch): number {
  let bytes = 0;
  for (const block of search.blocks) {
    if (search.dataType === SPARSE) bytes += block.bytes.length;
    else bytes += block.rows * vectorBytes(search.dataType, search.dim);
  }
  return bytes;
}

/** Writes searches into words, and remembers where the bytes of typed arrays are. */
export class SearchWords {
  readonly #native: NativeKernel;
  readonly #addresses = new WeakMap<View, number>();
  #words = new Float64Array(HEADER_WORDS + 64 * BLOCK_WORDS);
  #length = 0;

  constructor(native: NativeKernel) {
    this.#native = native;
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
    for (const view of [hits.counts, hits.blocks, hits.rows, hits.scores]) this.#put(this.#addressOf(view));
    this.#put(dataType);
    this.#put(metricInKernel.number);
    this.#put(dataType === SPARSE ? 0 : dim);
    this.#putQueries(search);
    this.#put(search.k);
    this.#putBounds(search, metricInKernel.worst);
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
    const { dataType, dim, queries, queryOffsets, queryCount } = search;
    requireInteger('queryCount', queryCount, 0, QUERY_COUNT_MAX);
    requireInteger('k', search.k, 1, K_MAX);
    if (dataType === SPARSE) requireLength('queryOffsets', queryOffsets?.length ?? 0, queryCount + 1);
    else requireLength('queries', queries.length, queryCount * vectorBytes(dataType, dim));
    this.#put(this.#addressOf(queries));
    this.#put(queries.length);
    this.#put(dataType === SPARSE ? this.#addressOf(queryOffsets!) : 0);
    this.#put(queryCount);
  }

  #putBounds({ radius, rangeFilter }: ExactSearch, worst: number): void {
    if (Number.isNaN(radius) || Number.isNaN(rangeFilter))
      throw new RangeError('radius or rangeFilter is NaN');
    this.#put(radius ?? worst);
    this.#put(rangeFilter ?? -worst);
  }

  #putBlock(dataType: VectorType, dim: number, block: VectorBlock): void {
    const { bytes, offsets, rows, allowed, inverseNorms, codes, keys } = block;
    requireInteger('rows', rows, 0, 2 ** 32 - 2);
    if (dataType === SPARSE) requireLength('offsets', offsets?.length ?? 0, rows + 1);
    else requireLength('bytes', bytes.length, rows * vectorBytes(dataType, dim));
    if (allowed !== null) requireLength('allowed', allowed.length, Math.ceil(rows / 8));
    if (inverseNorms !== null) requireLength('inverseNorms', inverseNorms.length, rows);
    this.#put(this.#addressOf(bytes));
    this.#put(bytes.length);
    this.#put(dataType === SPARSE ? this.#addressOf(offsets!) : 0);
    this.#put(rows);
    this.#put(allowed === null ? 0 : this.#addressOf(allowed));
    this.#put(inverseNorms === null ? 0 : this.#addressOf(inverseNorms));
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
    this.#put(codes === undefined ? 0 : this.#addressOf(codes.values));
    this.#put(codes === undefined ? 0 : this.#addressOf(codes.factors));
  }

  #putKeys(keys: BlockKeys, rows: number): void {
    if (keys.type === 'int64') {
      requireLength('keys', keys.values.length, rows);
      this.#put(this.#addressOf(keys.values));
      for (let i = 0; i < 3; i++) this.#put(0);
      return;
    }
    requireLength('key offsets', keys.offsets.length, rows + 1);
    this.#put(0);
    this.#put(this.#addressOf(keys.offsets));
    this.#put(this.#addressOf(keys.bytes));
    this.#put(keys.bytes.length);
  }

  /** A call into the library costs as much as ten look-ups, and blocks are searched many times. */
  #addressOf(view: View): number {
    const known = this.#addresses.get(view);
    if (known !== undefined) return known;
    // Memory of a buffer that shrinks would be gone in the middle of a search.
    if (view.buffer instanceof ArrayBuffer && view.buffer.resizable)
      throw new TypeError('the kernel takes no resizable buffers');
    const address = this.#native.addressOf(view);
    this.#addresses.set(view, address);
    return address;
  }
}
