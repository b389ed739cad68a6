import type { MetricType } from '@elanus/model';

/** What is wrong with the text of a parameter (`undefined`: not given), or `null`. */
export type ParameterRule = (text: string | undefined, name: string) => string | null;
export type ParameterRules = Readonly<Record<string, ParameterRule>>;

const INT32_MAX = 2_147_483_647;
const FLOAT32_MAX = 3.4028234663852886e38;

const required =
  (rule: ParameterRule): ParameterRule =>
  (text, name) =>
    text === undefined ? `param '${name}' not exist in json` : rule(text, name);

const integer =
  (min: number, max: number): ParameterRule =>
  (text, name) => {
    if (text === undefined) return null;
    if (!/^[+-]?\d+$/.test(text.trim())) return `invalid integer value, key: '${name}', value: '${text}'`;
    const value = Number(text);
    if (Math.abs(value) > INT32_MAX) {
      return `integer value out of range, key: '${name}', value: '${text}'`;
    }
    if (value >= min && value <= max) return null;
    return `Out of range in json: param '${name}' (${value}) should be in range [${min}, ${max}]`;
  };

const fraction =
  (min: number, max: number, end: ')' | ']'): ParameterRule =>
  (text, name) => {
    if (text === undefined) return null;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(value)) return `invalid float value, key: '${name}', value: '${text}'`;
    if (value >= min && (end === ']' ? value <= max : value < max)) return null;
    const range = `[${min.toFixed(6)}, ${max.toFixed(6)}${end}`;
    return `Out of range in json: param '${name}' (${value}) should be in range ${range}`;
  };

const flag: ParameterRule = (text, name) =>
  text === undefined || /^(true|false)$/i.test(text)
    ? null
    : `Type conflict in json: param '${name}' (${text}) should be a boolean`;

const quantizer =
  (names: readonly string[]): ParameterRule =>
  (text) =>
    text === undefined || names.includes(text.toUpperCase()) ? null : 'invalid scalar quantizer type';

const refineType =
  (names: readonly string[]): ParameterRule =>
  (text) => {
    if (text === undefined || names.includes(text.toUpperCase())) return null;
    const known = names.map((name) => name.toLowerCase()).join(', ');
    return `invalid refine type : ${text}, optional types are [${known}]`;
  };

const noRefine: ParameterRule = (text) =>
  text === undefined || text.toLowerCase() === 'false' ? null : 'refine is not supported for this index';

/** Ours: how a graph lies in memory. */
const GRAPH_LAYOUTS = ['auto', 'fast', 'compact'];
const graphLayout: ParameterRule = (text) =>
  text === undefined || GRAPH_LAYOUTS.includes(text.trim().toLowerCase())
    ? null
    : `graph_layout ${text} not found or not supported, supported: [${GRAPH_LAYOUTS.join(' ')}]`;

const INVERTED_INDEX_ALGORITHMS = [
  'TAAT_NAIVE',
  'DAAT_WAND',
  'DAAT_MAXSCORE',
  'BLOCK_MAX_MAXSCORE',
  'BLOCK_MAX_WAND',
  'SINDI',
];
const invertedIndexAlgorithm: ParameterRule = (text) =>
  text === undefined || INVERTED_INDEX_ALGORITHMS.includes(text.toUpperCase())
    ? null
    : `inverted_index_algo ${text} not found or not supported, supported: [${INVERTED_INDEX_ALGORITHMS.join(' ')}]`;

const refine: ParameterRules = {
  refine: flag,
  refine_type: refineType(['SQ4U', 'SQ6', 'SQ8', 'FP16', 'BF16', 'FP32', 'FLAT']),
};
const ivf: ParameterRules = { nlist: integer(1, 65_536), use_elkan: flag };
const hnsw: ParameterRules = { M: integer(2, 2_048), efConstruction: integer(1, INT32_MAX) };
const disk: ParameterRules = {
  max_degree: integer(1, 2_048),
  search_list_size: integer(1, INT32_MAX),
  pq_code_budget_gb_ratio: fraction(0, FLOAT32_MAX, ']'),
  search_cache_budget_gb_ratio: fraction(0, FLOAT32_MAX, ']'),
};
const sparse: ParameterRules = {
  inverted_index_algo: invertedIndexAlgorithm,
  drop_ratio_build: fraction(0, 1, ')'),
  bm25_k1: fraction(0, 3, ']'),
  bm25_b: fraction(0, 1, ']'),
  block_max_block_size: integer(1, INT32_MAX),
  sindi_window_size: integer(1024, 65_535),
};

/** Of the build parameters that have a range; keys that are not listed are stored as they come. */
export const PARAMETER_RULES: ReadonlyMap<string, ParameterRules> = new Map([
  ['IVF_FLAT', ivf],
  ['BIN_IVF_FLAT', ivf],
  ['IVF_SQ8', { ...ivf, ...refine, sq_type: quantizer(['SQ4', 'SQ6', 'SQ8']) }],
  ['IVF_PQ', { ...ivf, ...refine, m: required(integer(1, 65_536)), nbits: integer(1, 24) }],
  ['IVF_RABITQ', { ...ivf, ...refine, rbq_bits: integer(1, 9) }],
  ['IVF_RABITQ_FASTSCAN', { ...ivf, ...refine, refine_type: refineType(['FP32', 'FLAT']) }],
  ['SCANN', { ...ivf, with_raw_data: flag, sub_dim: integer(1, 65_536) }],
  ['HNSW', { ...hnsw, refine: noRefine, graph_layout: graphLayout }],
  ['HNSW_SQ', { ...hnsw, ...refine, sq_type: quantizer(['SQ4U', 'SQ6', 'SQ8', 'FP16', 'BF16']) }],
  ['HNSW_PQ', { ...hnsw, ...refine, m: integer(1, 65_536), nbits: integer(1, 24) }],
  ['HNSW_PRQ', { ...hnsw, ...refine, m: integer(1, 65_536), nrq: integer(1, 16), nbits: integer(1, 24) }],
  ['DISKANN', disk],
  [
    'AISAQ',
    {
      ...disk,
      inline_pq: integer(-1, 2_048),
      rearrange: flag,
      num_entry_points: integer(0, 1_000),
    },
  ],
  ['SPARSE_INVERTED_INDEX', sparse],
  ['SPARSE_WAND', sparse],
  ['BIN_FLAT', { mh_element_bit_width: integer(8, 256) }],
  [
    'MINHASH_LSH',
    {
      mh_lsh_band: integer(1, INT32_MAX),
      mh_element_bit_width: integer(8, 256),
      with_raw_data: flag,
      mh_lsh_code_in_mem: flag,
      mh_lsh_shared_bloom_filter: flag,
      mh_lsh_bloom_false_positive_prob: fraction(0, 1, ']'),
      mh_lsh_aligned_block_size: integer(4096, INT32_MAX),
    },
  ],
]);

/** The parameter that says how a vector is cut into equal parts, by index type. */
const CUT_BY_INDEX_TYPE: ReadonlyMap<string, string> = new Map([
  ['IVF_PQ', 'm'],
  ['HNSW_PQ', 'm'],
  ['HNSW_PRQ', 'm'],
  ['SCANN', 'sub_dim'],
]);

/** What is wrong when the vector cannot be cut into equal parts, or `null`. Requires parameters in their ranges. */
export function subquantizersDivideDim(
  type: string,
  dim: number | null,
  params: ReadonlyMap<string, string>,
): string | null {
  const cut = CUT_BY_INDEX_TYPE.get(type);
  const given = cut === undefined ? undefined : params.get(cut);
  if (dim === null || given === undefined) return null;
  const parts = Number(given);
  if (dim % parts === 0) return null;
  return `The dimension of the vector (dim) should be a multiple of the number of subquantizers (m). Dimension: ${dim}, m: ${parts}`;
}

const HASH_BITS_USUAL = 8;

/**
 * What is wrong when a vector that is compared as hashes is not made of whole ones, or has fewer than bands; `null` when
 * nothing is. Requires parameters in their ranges.
 */
export function hashesDivideDim(
  metric: MetricType,
  dim: number | null,
  params: ReadonlyMap<string, string>,
): string | null {
  if (metric !== 'MHJACCARD' || dim === null) return null;
  const bits = Number(params.get('mh_element_bit_width') ?? HASH_BITS_USUAL);
  if (bits % 8 !== 0 || dim % bits !== 0)
    return `The dimension of the vector (dim) should be a multiple of mh_element_bit_width, which should be a multiple of 8. Dimension: ${dim}, mh_element_bit_width: ${bits}`;
  const bands = Number(params.get('mh_lsh_band') ?? 1);
  if (bands <= dim / bits) return null;
  return `mh_lsh_band(${bands}) should not be larger than the number of hashes of a vector(${dim / bits})`;
}
