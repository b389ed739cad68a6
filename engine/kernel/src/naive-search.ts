/** Exact search as one would write it down first: the model that the kernel's tests compare with. */
import type { DenseVectorType, MetricType, VectorType } from '@elanus/model';
import type {
  BlockKeys,
  Bm25Scoring,
  ExactHits,
  ExactSearch,
  MinHashScoring,
  VectorBlock,
} from './kernel.ts';

export interface NaiveScore {
  /** In double precision; `null` when the metric leaves the pair out. */
  readonly score: number | null;
  /** How far a float32 score may be off. 0 where every step is exact. */
  readonly tolerance: number;
}

const LARGEST_FIRST: ReadonlySet<MetricType> = new Set(['IP', 'COSINE', 'BM25', 'MHJACCARD']);
const ELEMENT_BYTES: Readonly<Record<DenseVectorType, number>> = { 100: 1, 101: 4, 102: 2, 103: 2, 105: 1 };

function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The elements of dense vector `i` as numbers; of binary vectors, the bits. */
export function elementsOf(dataType: DenseVectorType, dim: number, bytes: Uint8Array, i: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dataType === 100) {
    const first = (i * dim) / 8;
    return Array.from({ length: dim }, (_, d) => (view.getUint8(first + (d >> 3)) >> (d & 7)) & 1);
  }
  const size = ELEMENT_BYTES[dataType];
  return Array.from({ length: dim }, (_, d) => {
    const at = (i * dim + d) * size;
    if (dataType === 101) return view.getFloat32(at, true);
    if (dataType === 105) return view.getInt8(at);
    const half = view.getUint16(at, true);
    if (dataType === 102) return halfToNumber(half);
    return new Float32Array(new Uint32Array([half << 16]).buffer)[0]!;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

const FLOAT_EPSILON = 2 ** -24;
/** Additions in a row that one lane and the sum across lanes make at most, of portable loops with four lanes. */
const additions = (dim: number) => dim / 4 + 8;

function cosine(x: readonly number[], y: readonly number[]): NaiveScore {
  const lengths = Math.sqrt(sum(x.map((a) => a * a))) * Math.sqrt(sum(y.map((a) => a * a)));
  const score = lengths === 0 ? 0 : sum(x.map((a, i) => a * y[i]!)) / lengths;
  return { score, tolerance: FLOAT_EPSILON * (additions(x.length) + 4) };
}

function naiveDenseScore(metric: MetricType, x: readonly number[], y: readonly number[]): NaiveScore {
  const products = x.map((a, i) => a * y[i]!);
  const both = sum(products);
  switch (metric) {
    case 'L2': {
      const score = sum(x.map((a, i) => (a - y[i]!) ** 2));
      return { score, tolerance: FLOAT_EPSILON * (additions(x.length) + 3) * score + 1e-44 };
    }
    case 'IP':
      return {
        score: both,
        tolerance: FLOAT_EPSILON * additions(x.length) * sum(products.map(Math.abs)) + 1e-44,
      };
    case 'COSINE':
      return cosine(x, y);
    case 'HAMMING':
      return { score: sum(x.map((a, i) => Math.abs(a - y[i]!))), tolerance: 0 };
    case 'JACCARD': {
      const either = sum(x) + sum(y) - both;
      return { score: either === 0 ? 0 : Math.fround(1 - both / either), tolerance: 0 };
    }
    case 'SUBSTRUCTURE':
      return { score: both === sum(x) ? 0 : null, tolerance: 0 };
    case 'SUPERSTRUCTURE':
      return { score: both === sum(y) ? 0 : null, tolerance: 0 };
    default:
      throw new TypeError(`no model of ${metric}`);
  }
}

/** The pairs of sparse vector `i`. */
export function sparseAt(bytes: Uint8Array, offsets: Uint32Array, i: number): Map<number, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pairs = new Map<number, number>();
  for (let at = offsets[i]!; at < offsets[i + 1]!; at += 8) {
    pairs.set(view.getUint32(at, true), view.getFloat32(at + 4, true));
  }
  return pairs;
}

/** What a common index adds, in the kernel's steps, each rounded to float32. */
type Part = (ofQuery: number, ofRow: number) => number;

function bm25Part(row: ReadonlyMap<number, number>, { k1, b, averageLength }: Bm25Scoring): Part {
  const { fround } = Math;
  const gain = fround(k1 + 1);
  const length = [...row.values()].reduce((sum, value) => fround(sum + value), 0);
  const norm = fround(fround(k1 * (1 - b)) + fround(fround((k1 * b) / averageLength) * length));
  return (weight, frequency) => fround(fround(weight * gain) * fround(frequency / fround(frequency + norm)));
}

/** The score of a query and a row in the kernel's steps, in ascending order of index; `null` without a common index. */
export function naiveSparseScore(
  query: ReadonlyMap<number, number>,
  row: ReadonlyMap<number, number>,
  bm25: Bm25Scoring | null,
): number | null {
  const part: Part = bm25 === null ? (x, y) => Math.fround(x * y) : bm25Part(row, bm25);
  let score: number | null = null;
  for (const [index, value] of query) {
    const other = row.get(index);
    if (other !== undefined) score = Math.fround((score ?? 0) + part(value, other));
  }
  return score;
}

/** The score of two vectors of bits that are hashes; `null` when it leaves the pair out. */
export function naiveHashScore(
  x: readonly number[],
  y: readonly number[],
  { hashBytes, bands }: MinHashScoring,
): number | null {
  const hashes = x.length / 8 / hashBytes;
  const isEqual = (hash: number): boolean => {
    const [from, to] = [hash * hashBytes * 8, (hash + 1) * hashBytes * 8];
    return x.slice(from, to).every((bit, at) => bit === y[from + at]);
  };
  const equal = Array.from({ length: hashes }, (_, hash) => isEqual(hash));
  if (bands === 0) {
    const count = equal.filter(Boolean).length;
    return count === 0 ? null : Math.fround(count / hashes);
  }
  const size = Math.floor(hashes / bands);
  for (let band = 0; band < bands; band++)
    if (equal.slice(band * size, (band + 1) * size).every(Boolean)) return 1;
  return null;
}

/** The score of query `q` and one row, without regard to bitmaps and bounds. */
export function naiveScore(search: ExactSearch, q: number, block: VectorBlock, row: number): NaiveScore {
  const { dataType, metric, dim } = search;
  if (dataType === 104) {
    const query = sparseAt(search.queries, search.queryOffsets!, q);
    const score = naiveSparseScore(query, sparseAt(block.bytes, block.offsets!, row), search.bm25 ?? null);
    return { score, tolerance: 0 };
  }
  const x = elementsOf(dataType, dim, search.queries, q);
  if (metric === 'MHJACCARD')
    return {
      score: naiveHashScore(x, elementsOf(dataType, dim, block.bytes, row), search.minHash!),
      tolerance: 0,
    };
  return naiveDenseScore(metric, x, elementsOf(dataType, dim, block.bytes, row));
}

export interface NaiveHit {
  readonly block: number;
  readonly row: number;
  readonly score: number;
}

export function isAllowed(block: VectorBlock, row: number): boolean {
  return block.allowed === null || ((block.allowed[row >> 3]! >> (row & 7)) & 1) === 1;
}

function isWithinBounds({ metric, radius, rangeFilter }: ExactSearch, score: number): boolean {
  const sign = LARGEST_FIRST.has(metric) ? -1 : 1;
  const beyondRadius = radius !== null && !(sign * score < sign * radius);
  const withinFilter = rangeFilter !== null && !(sign * score >= sign * rangeFilter);
  return !beyondRadius && !withinFilter;
}

function compareKeys(a: BlockKeys, rowA: number, b: BlockKeys, rowB: number): number {
  if (a.type === 'int64' && b.type === 'int64') {
    const difference = a.values[rowA]! - b.values[rowB]!;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  if (a.type !== 'varchar' || b.type !== 'varchar') throw new TypeError('keys of different types');
  const keyA = a.bytes.subarray(a.offsets[rowA]!, a.offsets[rowA + 1]!);
  const keyB = b.bytes.subarray(b.offsets[rowB]!, b.offsets[rowB + 1]!);
  return Buffer.compare(keyA, keyB);
}

/** What `exactSearch` must return for query `q` if these are the scores of all pairs (`null`: left out). */
export function naiveTopK(
  search: ExactSearch,
  scoreOf: (block: number, row: number) => number | null,
): NaiveHit[] {
  const hits: NaiveHit[] = [];
  for (const [b, block] of search.blocks.entries()) {
    for (let row = 0; row < block.rows; row++) {
      const score = isAllowed(block, row) ? scoreOf(b, row) : null;
      if (score !== null && !Number.isNaN(score) && isWithinBounds(search, score))
        hits.push({ block: b, row, score });
    }
  }
  const sign = LARGEST_FIRST.has(search.metric) ? -1 : 1;
  const keysOf = (hit: NaiveHit) => search.blocks[hit.block]!.keys;
  return hits
    .sort(
      (a, b) =>
        sign * (a.score - b.score) ||
        compareKeys(keysOf(a), a.row, keysOf(b), b.row) ||
        a.block - b.block ||
        a.row - b.row,
    )
    .slice(0, search.k);
}

/** The hits of one query as a list. */
export function hitsOfQuery(search: ExactSearch, hits: ExactHits, q: number): NaiveHit[] {
  return Array.from({ length: hits.counts[q]! }, (_, i) => {
    const at = q * search.k + i;
    return { block: hits.blocks[at]!, row: hits.rows[at]!, score: hits.scores[at]! };
  });
}

/** Metrics that each type can be compared by. */
export const METRICS_BY_TYPE: ReadonlyMap<VectorType, readonly MetricType[]> = new Map([
  [100, ['HAMMING', 'JACCARD', 'SUBSTRUCTURE', 'SUPERSTRUCTURE', 'MHJACCARD']],
  [101, ['L2', 'IP', 'COSINE']],
  [102, ['L2', 'IP', 'COSINE']],
  [103, ['L2', 'IP', 'COSINE']],
  [104, ['IP', 'BM25']],
  [105, ['L2', 'IP', 'COSINE']],
]);
