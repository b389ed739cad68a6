import type { Draft, Methods } from '@elanus/proto';
import { params, placeholder } from './request-drafts.ts';

type Params = Readonly<Record<string, string>>;
type SearchDraft = Draft<Methods['Search']['request']>;

const PARAMS_ENDING = ': invalid parameter[expected=valid index params][actual=invalid index params]';
const INT32_MAX = 2_147_483_647;

const GRAPH_TYPES = ['HNSW', 'HNSW_SQ', 'HNSW_PQ', 'HNSW_PRQ'] as const;
const GPU_TYPES = ['GPU_BRUTE_FORCE', 'GPU_IVF_FLAT', 'GPU_IVF_PQ', 'GPU_CAGRA'] as const;

const outOfRange = (name: string, value: string, min: number, max: number) =>
  `Out of range in json: param '${name}' (${value}) should be in range [${min}, ${max}]`;

/** Kinds of vectors that a graph can't be built on, by field of `every`, and the metric that they have. */
const OTHER_VECTORS: readonly (readonly [field: string, dataType: string, metric: string])[] = [
  ['bits', 'BinaryVector', 'HAMMING'],
  ['sparse', 'SparseFloatVector', 'IP'],
];

/** Metrics that no vectors of numbers are compared by. */
const OTHER_METRICS = ['HAMMING', 'JACCARD', 'BM25', 'MHJACCARD', 'MANHATTAN'];

const BUILD_PARAMETERS: readonly (readonly [type: string, params: Params, reason: string])[] = [
  ...GRAPH_TYPES.flatMap((type) =>
    (
      [
        [{ M: '1' }, outOfRange('M', '1', 2, 2048)],
        [{ M: '2049' }, outOfRange('M', '2049', 2, 2048)],
        [{ M: '-16' }, outOfRange('M', '-16', 2, 2048)],
        [{ M: '16.5' }, "invalid integer value, key: 'M', value: '16.5'"],
        [{ M: '3000000000' }, "integer value out of range, key: 'M', value: '3000000000'"],
        [{ efConstruction: '0' }, outOfRange('efConstruction', '0', 1, INT32_MAX)],
        [{ efConstruction: 'all' }, "invalid integer value, key: 'efConstruction', value: 'all'"],
      ] as const
    ).map(([pairs, reason]) => [type, pairs, reason] as const),
  ),
  ['HNSW', { refine: 'true' }, 'refine is not supported for this index'],
  ['HNSW', { graph_layout: 'small' }, layoutUnknown('small')],
  ['HNSW', { graph_layout: '' }, layoutUnknown('')],
  ['HNSW_SQ', { sq_type: 'SQ4' }, 'invalid scalar quantizer type'],
  ['HNSW_SQ', { refine: 'perhaps' }, "Type conflict in json: param 'refine' (perhaps) should be a boolean"],
  [
    'HNSW_SQ',
    { refine: 'true', refine_type: 'SQ5' },
    'invalid refine type : SQ5, optional types are [sq4u, sq6, sq8, fp16, bf16, fp32, flat]',
  ],
  ['HNSW_PQ', { m: '3' }, notDivided(4, 3)],
  ['HNSW_PQ', { m: '0' }, outOfRange('m', '0', 1, 65_536)],
  ['HNSW_PQ', { m: '8' }, notDivided(4, 8)],
  ['HNSW_PQ', { nbits: '25' }, outOfRange('nbits', '25', 1, 24)],
  ['HNSW_PRQ', { m: '3' }, notDivided(4, 3)],
  ['HNSW_PRQ', { nrq: '0' }, outOfRange('nrq', '0', 1, 16)],
  ['HNSW_PRQ', { nrq: '17' }, outOfRange('nrq', '17', 1, 16)],
  ['HNSW_PRQ', { nbits: '0' }, outOfRange('nbits', '0', 1, 24)],
];

function layoutUnknown(layout: string): string {
  return `graph_layout ${layout} not found or not supported, supported: [auto fast compact]`;
}

function notDivided(dim: number, m: number): string {
  return `The dimension of the vector (dim) should be a multiple of the number of subquantizers (m). Dimension: ${dim}, m: ${m}`;
}

/** Definitions on fields of `every` that are no graph index: the field, its parameters, the text of code 1100. */
export const GRAPH_DEFINITIONS: readonly (readonly [field: string, params: Params, reason: string])[] = [
  ...GPU_TYPES.map((type) => {
    const reason = `invalid parameter[expected=valid index][actual=invalid index type: ${type}]`;
    return ['float', { index_type: type, metric_type: 'L2' }, reason] as const;
  }),
  ...GRAPH_TYPES.flatMap((type) => [
    ['float', { index_type: type }, 'metric type not set for vector index: invalid parameter'] as const,
    ['n', { index_type: type }, `index ${type} only supports vector data type: invalid parameter`] as const,
    ...OTHER_VECTORS.map(([field, dataType, metric]) => {
      const reason = `data type ${dataType} can't build with this index ${type}${PARAMS_ENDING}`;
      return [field, { index_type: type, metric_type: metric }, reason] as const;
    }),
    ...OTHER_METRICS.map((metric) => {
      const reason = `float vector index does not support metric type: ${metric}${PARAMS_ENDING}`;
      return ['half', { index_type: type, metric_type: metric }, reason] as const;
    }),
  ]),
  [
    'bytes',
    { index_type: 'FLAT', metric_type: 'L2' },
    `data type Int8Vector can't build with this index FLAT${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'AUTOINDEX', graph_layout: 'fast' },
    'only metric type can be passed when use AutoIndex: invalid parameter',
  ],
  ...BUILD_PARAMETERS.map(([type, pairs, reason]) => {
    const definition = { index_type: type, metric_type: 'L2', ...pairs };
    return ['float', definition, `${reason}${PARAMS_ENDING}`] as const;
  }),
];

const search = (field: string, parameters: Params): SearchDraft => ({
  collectionName: 'graphs',
  dslType: 1,
  nq: 1n,
  placeholderGroup: placeholder([1, 2]),
  searchParams: params({ topk: '3', anns_field: field, ...parameters }),
});

const recallOutOfRange = (value: string) =>
  `recall_target [${value}] is invalid, it should be a number above 0 and up to 1`;

/** Searches of `graphs` with parameters that its indexes do not take: what, the request, the text of code 1100. */
export const GRAPH_SEARCHES: readonly (readonly [what: string, request: SearchDraft, reason: string])[] = (
  [
    ['vector', { ef: '2' }, 'ef(2) should be larger than k(3)'],
    ['vector', { ef: '3', offset: '1' }, 'ef(3) should be larger than k(4)'],
    ['codes', { params: '{"ef": 2}' }, 'ef(2) should be larger than k(3)'],
    ['vector', { ef: '0' }, outOfRange('ef', '0', 1, INT32_MAX)],
    ['vector', { params: '{"ef": -1}' }, outOfRange('ef', '-1', 1, INT32_MAX)],
    ['vector', { ef: 'many' }, "invalid integer value, key: 'ef', value: 'many'"],
    ['vector', { ef: '4294967296' }, "integer value out of range, key: 'ef', value: '4294967296'"],
    ['vector', { params: '{"ef": 8.5}' }, "Type conflict in json: param 'ef' (8.5) should be integer"],
    ['vector', { params: '{"ef": [8]}' }, "Type conflict in json: param 'ef' ([8]) should be integer"],
    [
      'vector',
      { params: '{"ef": 4294967296}' },
      `Arithmetic overflow: param 'ef' (4294967296) should not bigger than ${INT32_MAX}`,
    ],
    ['vector', { recall_target: '0.9', ef: '8' }, 'recall_target and ef exclude one another'],
    ['vector', { recall_target: '0' }, recallOutOfRange('0')],
    ['codes', { recall_target: '1.01' }, recallOutOfRange('1.01')],
    ['vector', { params: '{"recall_target": "high"}' }, recallOutOfRange('high')],
    ['vector', { explain: 'aloud' }, 'explain [aloud] is invalid, it should be true, false or analyze'],
    [
      'codes',
      { refine_k: '0.9' },
      "Out of range in json: param 'refine_k' (0.9) should be in range [1.000000, 340282346638528859811704183484516925440.000000]",
    ],
    ['codes', { refine_k: 'two' }, "invalid float value, key: 'refine_k', value: 'two'"],
    [
      'codes',
      { params: '{"refine_k": true}' },
      "Type conflict in json: param 'refine_k' (true) should be a number",
    ],
  ] as const
).map(([field, parameters, reason]) => [
  `${field} with ${JSON.stringify(parameters)}`,
  search(field, parameters),
  `${reason}: invalid parameter`,
]);
