import {
  DataType,
  type FieldSchema,
  type IndexInfo,
  invalidParameter,
  lastValueOf,
  type MetricType,
} from '@elanus/model';
import type { SparseScoring } from '@elanus/rpc';
import type { Parameters } from './parameters.ts';

/** Those of Milvus, where the index names none. */
const K1_USUAL = 1.2;
const B_USUAL = 0.75;

/**
 * How a search compares the sparse vectors of `field`; `null` for other vectors.
 * @throws MilvusError 1100 for parameters that are out of their range
 */
export function readSparseScoring(
  field: FieldSchema,
  metric: MetricType,
  index: IndexInfo | undefined,
  parameters: Parameters,
): SparseScoring | null {
  if (field.dataType !== DataType.SparseFloatVector) return null;
  const dropRatio = numberOf(parameters, 'drop_ratio_search', { min: 0, max: 1, end: ')' }) ?? 0;
  // Bounds of ours are exact, so that there is nothing to be made safer or faster.
  numberOf(parameters, 'dim_max_score_ratio', { min: 0.5, max: 1.3, end: ']' });
  if (metric !== 'BM25') return { bm25: null, dropRatio };
  const built = (key: string, usual: number) => Number(lastValueOf(index?.params ?? [], key) ?? usual);
  return { bm25: { k1: built('bm25_k1', K1_USUAL), b: built('bm25_b', B_USUAL) }, dropRatio };
}

function numberOf(
  parameters: Parameters,
  name: string,
  { min, max, end }: { readonly min: number; readonly max: number; readonly end: ')' | ']' },
): number | undefined {
  const value = parameters.value(name);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && (value.trim() === '' || !Number.isFinite(Number(value))))
    throw invalidParameter(`invalid float value, key: '${name}', value: '${value}'`);
  if (typeof value !== 'string' && typeof value !== 'number')
    throw invalidParameter(
      `Type conflict in json: param '${name}' (${JSON.stringify(value)}) should be a number`,
    );
  const number = Number(value);
  if (number >= min && (end === ']' ? number <= max : number < max)) return number;
  const range = `[${min.toFixed(6)}, ${max.toFixed(6)}${end}`;
  throw invalidParameter(`Out of range in json: param '${name}' (${number}) should be in range ${range}`);
}
