/** What every request to the kernel has to obey. */
import type { DenseVectorType, MetricType } from '@elanus/model';
import type { Bm25Scoring, MinHashScoring } from './kernel.ts';

const BITS_PER_DIMENSION: Readonly<Record<DenseVectorType, number>> = {
  100: 1,
  101: 32,
  102: 16,
  103: 16,
  105: 8,
};

/** Bytes of one vector. */
export function vectorBytes(dataType: DenseVectorType, dim: number): number {
  return (BITS_PER_DIMENSION[dataType] * dim) / 8;
}

/** @throws RangeError */
export function requireLength(what: string, length: number, lengthMin: number): void {
  if (length < lengthMin) throw new RangeError(`${what} has ${length} elements, needs ${lengthMin}`);
}

/** @throws RangeError */
export function requireInteger(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${what} is ${value}, must be an integer from ${min} to ${max}`);
}

const NO_BM25 = [0, 0, 1] as const;

/**
 * The words of `ElanusBm25`.
 * @throws TypeError when the metric wants some and there are none, or the other way round
 * @throws RangeError for a number out of range
 */
export function bm25Words(metric: MetricType, scoring: Bm25Scoring | null | undefined): readonly number[] {
  if ((metric === 'BM25') !== (scoring != null))
    throw new TypeError('BM25 scoring belongs to the metric BM25');
  if (scoring == null) return NO_BM25;
  const { k1, b, averageLength } = scoring;
  requireNumber('k1', k1, 0, 1000);
  requireNumber('b', b, 0, 1);
  requireNumber('averageLength', averageLength, 1e-6, Number.MAX_VALUE);
  return [k1, b, averageLength];
}

const NO_MIN_HASH = [1, 0] as const;
const HASH_BYTES_MAX = 32;
const BANDS_MAX = 2 ** 15;

/**
 * The words of `ElanusMinHash`.
 * @throws TypeError when the metric wants some and there are none, or the other way round
 * @throws RangeError for a number out of range
 */
export function minHashWords(
  metric: MetricType,
  scoring: MinHashScoring | null | undefined,
): readonly number[] {
  if ((metric === 'MHJACCARD') !== (scoring != null))
    throw new TypeError('MinHash scoring belongs to the metric MHJACCARD');
  if (scoring == null) return NO_MIN_HASH;
  const { hashBytes, bands } = scoring;
  requireInteger('hashBytes', hashBytes, 1, HASH_BYTES_MAX);
  requireInteger('bands', bands, 0, BANDS_MAX);
  return [hashBytes, bands];
}

/** @throws RangeError, for NaN too */
export function requireNumber(what: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max))
    throw new RangeError(`${what} is ${value}, must be from ${min} to ${max}`);
}
