/** Requests about indexes as the words that `src/binding/index_binding.cc` reads: numbers and addresses, in its order. */
import type { DenseVectorType, MetricType, VectorType } from '@elanus/model';
import type { Addresses } from './addresses.ts';
import { bm25Words, requireInteger, requireLength, vectorBytes } from './checks.ts';
import { isMapped } from './map-file.ts';
import type {
  IndexBuild,
  IndexHits,
  IndexSearch,
  IndexSpec,
  ListProbes,
  Refine,
  SearchWay,
  SparseIndexBuild,
  SparseRows,
  VectorRows,
} from './vector-index.ts';

const QUERY_COUNT_MAX = 16_384;
const K_MAX = 16_384;
const M_MIN = 2;
const M_MAX = 2048;
const THREADS_MAX = 1024;
const ROWS_MAX = 2 ** 31 - 1;
const DIM_MAX = 32_768;
const BITS_MAX = 262_144;
const LISTS_MAX = 65_536;
const QUERY_BITS_MAX = 8;
const HASH_BYTES_MAX = 32;
const SEARCH_WORDS = 26;

/** The numbers of the C header. */
const TYPE = {
  HNSW: 0,
  HNSW_SQ: 1,
  HNSW_PQ: 2,
  HNSW_PRQ: 3,
  IVF_FLAT: 16,
  IVF_SQ: 17,
  IVF_PQ: 18,
  IVF_RABITQ: 19,
  SCANN: 20,
  BIN_IVF_FLAT: 32,
  MINHASH_LSH: 33,
  DISKANN: 48,
} as const;
const LAYOUT = { auto: 0, fast: 1, compact: 2 } as const;
const CODE = { SQ4U: 1, SQ6: 2, SQ8: 3, BF16: 4, FP16: 5, FP32: 6 } as const;
const NO_CODE = 0;
const METRIC: Readonly<Partial<Record<MetricType, number>>> = {
  L2: 0,
  IP: 1,
  COSINE: 2,
  HAMMING: 3,
  JACCARD: 4,
  MHJACCARD: 8,
};
/** Of which the smallest is best. */
const DISTANCES: readonly (number | undefined)[] = [METRIC.L2, METRIC.HAMMING, METRIC.JACCARD];
const BM25 = 7;
const BINARY = 100 satisfies VectorType;
/** The data type of sparse vectors. */
export const SPARSE = 104 satisfies VectorType;

/** What an index says of itself. */
export interface IndexShape {
  readonly dataType: DenseVectorType | typeof SPARSE;
  readonly dim: number;
  /** The number of the metric. */
  readonly metric: number;
}

type Spec<Type extends IndexSpec['type']> = Extract<IndexSpec, { type: Type }>;

/** Everything that makes an `ElanusIndexSpec` beside its type, in its order. */
interface SpecNumbers {
  readonly layout?: number;
  readonly m?: number;
  readonly efConstruction?: number;
  readonly code?: number;
  readonly subquantizers?: number;
  readonly residuals?: number;
  readonly bits?: number;
  readonly refine?: Refine | null;
  readonly lists?: number;
  readonly hashBytes?: number;
  readonly bands?: number;
  readonly codeBytes?: number;
  readonly cacheBytes?: number;
}

function wordsOf(type: IndexSpec['type'], numbers: SpecNumbers): readonly number[] {
  const { layout = 0, m = 0, efConstruction = 0, code = NO_CODE, subquantizers = 0 } = numbers;
  const { residuals = 0, bits = 0, refine = null, lists = 0 } = numbers;
  const { hashBytes = 0, bands = 0, codeBytes = 0, cacheBytes = 0 } = numbers;
  const refineCode = refine === null ? NO_CODE : CODE[refine];
  return [
    ...[TYPE[type], layout, m, efConstruction, code, subquantizers, residuals, bits, refineCode, lists],
    ...[hashBytes, bands, codeBytes, cacheBytes],
  ];
}

function specWords(spec: IndexSpec): readonly number[] {
  switch (spec.type) {
    case 'HNSW':
    case 'HNSW_SQ':
    case 'HNSW_PQ':
    case 'HNSW_PRQ':
    case 'DISKANN':
      return graphWords(spec);
    case 'IVF_FLAT':
    case 'IVF_SQ':
    case 'IVF_PQ':
    case 'IVF_RABITQ':
    case 'SCANN':
      return listsWords(spec);
    case 'BIN_IVF_FLAT':
      requireInteger('lists', spec.lists, 1, LISTS_MAX);
      return wordsOf(spec.type, { lists: spec.lists });
    case 'MINHASH_LSH':
      requireInteger('hashBytes', spec.hashBytes, 1, HASH_BYTES_MAX);
      requireInteger('bands', spec.bands, 1, ROWS_MAX);
      return wordsOf(spec.type, { hashBytes: spec.hashBytes, bands: spec.bands });
  }
}

function graphWords(spec: Spec<'HNSW' | 'HNSW_SQ' | 'HNSW_PQ' | 'HNSW_PRQ' | 'DISKANN'>): readonly number[] {
  const { type, m, efConstruction } = spec;
  requireInteger('m', m, M_MIN, M_MAX);
  requireInteger('efConstruction', efConstruction, 1, ROWS_MAX);
  const graph = { m, efConstruction };
  if (type === 'HNSW') return wordsOf(type, { ...graph, layout: LAYOUT[spec.layout] });
  if (type === 'DISKANN') {
    const { codeBytes, cacheBytes } = spec;
    requireInteger('codeBytes', codeBytes, 1, ROWS_MAX);
    requireInteger('cacheBytes', cacheBytes, 0, ROWS_MAX);
    return wordsOf(type, { ...graph, codeBytes, cacheBytes });
  }
  const { refine } = spec;
  if (type === 'HNSW_SQ') return wordsOf(type, { ...graph, code: CODE[spec.sqType], refine });
  const residuals = type === 'HNSW_PQ' ? 1 : spec.residuals;
  const { subquantizers, bits } = spec;
  requireInteger('subquantizers', subquantizers, 1, ROWS_MAX);
  requireInteger('residuals', residuals, 1, ROWS_MAX);
  requireInteger('bits', bits, 1, ROWS_MAX);
  return wordsOf(type, { ...graph, subquantizers, residuals, bits, refine });
}

function listsWords(
  spec: Spec<'IVF_FLAT' | 'IVF_SQ' | 'IVF_PQ' | 'IVF_RABITQ' | 'SCANN'>,
): readonly number[] {
  const { type, lists } = spec;
  requireInteger('lists', lists, 1, LISTS_MAX);
  if (type === 'IVF_FLAT') return wordsOf(type, { lists });
  if (type === 'IVF_SQ') return wordsOf(type, { lists, code: CODE[spec.sqType], refine: spec.refine });
  if (type === 'IVF_RABITQ') {
    requireInteger('bits', spec.bits, 1, ROWS_MAX);
    return wordsOf(type, { lists, bits: spec.bits, refine: spec.refine });
  }
  const { subquantizers } = spec;
  requireInteger('subquantizers', subquantizers, 1, ROWS_MAX);
  if (type === 'SCANN')
    return wordsOf(type, { lists, subquantizers, refine: spec.vectors === 'kept' ? 'FP32' : null });
  requireInteger('bits', spec.bits, 1, ROWS_MAX);
  return wordsOf(type, { lists, subquantizers, bits: spec.bits, refine: spec.refine });
}

function blockWords(
  addresses: Addresses,
  blocks: readonly VectorRows[],
  rowBytes: number,
): readonly number[] {
  const words: number[] = [blocks.length];
  let total = 0;
  for (const { bytes, rows } of blocks) {
    requireInteger('rows', rows, 0, ROWS_MAX);
    requireLength('bytes', bytes.length, rows * rowBytes);
    total += rows;
    words.push(addresses.of(bytes), bytes.length, rows, isMapped(bytes) ? 1 : 0);
  }
  requireInteger('rows of all blocks', total, 0, ROWS_MAX);
  return words;
}

/**
 * The words of a build whose index is to be written to `outcome`.
 * @throws RangeError for a number out of range and an array that is too short
 * @throws TypeError for a metric that no index has
 */
export function buildWords(
  addresses: Addresses,
  simd: number,
  outcome: Float64Array,
  build: IndexBuild,
): Float64Array {
  const { dataType, metric, dim, spec, blocks, threads, seed } = build;
  const metricInKernel = METRIC[metric];
  if (metricInKernel === undefined) throw new TypeError(`no index has the metric ${metric}`);
  requireInteger('dim', dim, 1, dataType === BINARY ? BITS_MAX : DIM_MAX);
  requireInteger('threads', threads, 1, THREADS_MAX);
  requireInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  return Float64Array.of(
    ...[simd, addresses.of(outcome), dataType, metricInKernel, dim, ...specWords(spec), threads, seed],
    ...blockWords(addresses, blocks, vectorBytes(dataType, dim)),
  );
}

function sparseBlockWords(addresses: Addresses, blocks: readonly SparseRows[]): readonly number[] {
  const words: number[] = [blocks.length];
  let total = 0;
  for (const { bytes, offsets, rows } of blocks) {
    requireInteger('rows', rows, 0, ROWS_MAX);
    requireLength('offsets', offsets.length, rows + 1);
    total += rows;
    words.push(addresses.of(bytes), bytes.length, addresses.of(offsets), rows);
  }
  requireInteger('rows of all blocks', total, 0, ROWS_MAX);
  return words;
}

/**
 * The words of the build of a sparse index.
 * @throws RangeError for a number out of range and an array that is too short
 * @throws TypeError when there are parameters of BM25 without it, or the other way round
 */
export function sparseBuildWords(
  addresses: Addresses,
  simd: number,
  outcome: Float64Array,
  { metric, spec, blocks, threads }: SparseIndexBuild,
): Float64Array {
  requireInteger('threads', threads, 1, THREADS_MAX);
  const bm25 = bm25Words(metric, spec.bm25 && { ...spec.bm25, averageLength: 1 });
  return Float64Array.of(
    ...[simd, addresses.of(outcome), metric === 'BM25' ? BM25 : METRIC.IP!, ...bm25, threads],
    ...sparseBlockWords(addresses, blocks),
  );
}

/** The words of an index in a file, to be written to `outcome`. */
export function openWords(
  addresses: Addresses,
  simd: number,
  outcome: Float64Array,
  blocks: readonly VectorRows[],
): Float64Array {
  // How long a vector is, the file knows.
  return Float64Array.of(simd, addresses.of(outcome), ...blockWords(addresses, blocks, 0));
}

function offsetsAddress(
  addresses: Addresses,
  { dataType }: IndexShape,
  { sparse, queryCount }: IndexSearch,
): number {
  if ((dataType === SPARSE) !== (sparse != null))
    throw new TypeError('sparse queries belong to a sparse index');
  if (sparse == null) return 0;
  requireLength('offsets of queries', sparse.offsets.length, queryCount + 1);
  return addresses.of(sparse.offsets);
}

const NEAREST_LIST: ListProbes = { probes: 1, probesMax: LISTS_MAX, emptyListsMax: 0 };

/** By the numbers of ElanusSearchWay. */
const SEARCH_WAYS: readonly SearchWay[] = ['cheapest', 'walk', 'short codes', 'long codes', 'vectors'];

const searchWordsBuffer = new Float64Array(SEARCH_WORDS);

/**
 * The words of a search; overwritten by the next call.
 * @throws RangeError for a number out of range and an array that is too short
 */
export function searchWords(
  addresses: Addresses,
  index: number,
  pool: number,
  shape: IndexShape,
  rows: number,
  search: IndexSearch,
  hits: IndexHits,
  effort: BigInt64Array | null,
): Float64Array {
  const { queries, queryCount, k, ef, refineK, allowed, radius, rangeFilter } = search;
  requireInteger('queryCount', queryCount, 0, QUERY_COUNT_MAX);
  requireInteger('k', k, 1, K_MAX);
  requireInteger('ef', ef, 1, ROWS_MAX);
  if (!(refineK >= 1)) throw new RangeError(`refineK is ${refineK}, must be at least 1`);
  if (Number.isNaN(radius) || Number.isNaN(rangeFilter)) throw new RangeError('radius or rangeFilter is NaN');
  if (shape.dataType !== SPARSE)
    requireLength('queries', queries.length, queryCount * vectorBytes(shape.dataType, shape.dim));
  if (allowed !== null) requireLength('allowed', allowed.length, Math.ceil(rows / 8));
  const worst = DISTANCES.includes(shape.metric) ? Infinity : -Infinity;
  const words = searchWordsBuffer;
  words[0] = index;
  words[1] = pool;
  words[2] = addresses.of(hits.counts);
  words[3] = addresses.of(hits.rows);
  words[4] = addresses.of(hits.scores);
  words[5] = addresses.of(queries);
  words[6] = queries.length;
  words[7] = offsetsAddress(addresses, shape, search);
  words[8] = queryCount;
  words[9] = k;
  words[10] = ef;
  words[11] = refineK;
  words[12] = allowed === null ? 0 : addresses.of(allowed);
  words[13] = allowed === null ? 0 : allowed.length;
  words[14] = radius ?? worst;
  words[15] = rangeFilter ?? -worst;
  words.set(bm25Words(shape.metric === BM25 ? 'BM25' : 'IP', search.sparse?.bm25), 16);
  words[19] = effort === null ? 0 : addresses.of(effort);
  const { probes, probesMax, emptyListsMax } = search.lists ?? NEAREST_LIST;
  requireInteger('probes', probes, 1, LISTS_MAX);
  requireInteger('probesMax', probesMax, 1, LISTS_MAX);
  requireInteger('emptyListsMax', emptyListsMax, 0, LISTS_MAX);
  words[20] = probes;
  words[21] = probesMax;
  words[22] = emptyListsMax;
  words[23] = SEARCH_WAYS.indexOf(search.way ?? 'cheapest');
  words[24] = search.byShare ? 1 : 0;
  requireInteger('queryBits', search.lists?.queryBits ?? 0, 0, QUERY_BITS_MAX);
  words[25] = search.lists?.queryBits ?? 0;
  return words;
}
