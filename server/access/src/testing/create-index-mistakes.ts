import { GRAPH_DEFINITIONS } from './graph-index-mistakes.ts';
import { type Mistake, mistakesOf } from './mistake.ts';
import { params } from './request-drafts.ts';

const PARAMS_ENDING = ': invalid parameter[expected=valid index params][actual=invalid index params]';
const invalidType = (type: string) =>
  `invalid parameter[expected=valid index][actual=invalid index type: ${type}]`;

/** On a field of the collection `every`. */
const refused: readonly [
  field: string,
  params: Readonly<Record<string, string>>,
  reason: string,
  code?: number,
][] = [
  ['nothing', {}, 'cannot create index on non-exist field: nothing', 65535],
  ['float', { index_type: 'NO_SUCH', metric_type: 'L2' }, invalidType('NO_SUCH')],
  ['float', { index_type: 'HYBRID', metric_type: 'L2' }, invalidType('HYBRID')],
  ['float', { index_type: 'hnsw', metric_type: 'L2' }, invalidType('hnsw')],
  ['n', { index_type: 'HYBRID' }, invalidType('HYBRID')],
  [
    'float',
    { index_type: 'AUTOINDEX', M: '8' },
    'only metric type can be passed when use AutoIndex: invalid parameter',
  ],
  ['float', { nlist: '8' }, 'only metric type can be passed when use AutoIndex: invalid parameter'],
  ['float', { index_type: 'HNSW' }, 'metric type not set for vector index: invalid parameter'],
  [
    'float',
    { metric_type: 'HAMMING' },
    `float vector index does not support metric type: HAMMING${PARAMS_ENDING}`,
  ],
  [
    'bytes',
    { metric_type: 'JACCARD' },
    `int vector index does not support metric type: JACCARD${PARAMS_ENDING}`,
  ],
  ['bits', { metric_type: 'L2' }, `binary vector index does not support metric type: L2${PARAMS_ENDING}`],
  [
    'bits',
    { index_type: 'BIN_IVF_FLAT', metric_type: 'SUPERSTRUCTURE' },
    `metric type SUPERSTRUCTURE not found or not supported, supported: [HAMMING JACCARD]${PARAMS_ENDING}`,
  ],
  [
    'bits',
    { index_type: 'MINHASH_LSH', metric_type: 'HAMMING' },
    `metric type HAMMING not found or not supported, supported: [MHJACCARD]${PARAMS_ENDING}`,
  ],
  [
    'bits',
    { index_type: 'MINHASH_LSH', metric_type: 'MHJACCARD', mh_lsh_band: '0' },
    `Out of range in json: param 'mh_lsh_band' (0) should be in range [1, 2147483647]${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'DISKANN', metric_type: 'L2', max_degree: '2049' },
    `Out of range in json: param 'max_degree' (2049) should be in range [1, 2048]${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'AISAQ', metric_type: 'L2', inline_pq: '2049' },
    `Out of range in json: param 'inline_pq' (2049) should be in range [-1, 2048]${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'AISAQ', metric_type: 'L2', rearrange: 'perhaps' },
    `Type conflict in json: param 'rearrange' (perhaps) should be a boolean${PARAMS_ENDING}`,
  ],
  [
    'bytes',
    { index_type: 'AISAQ', metric_type: 'L2' },
    `data type Int8Vector can't build with this index AISAQ${PARAMS_ENDING}`,
  ],
  [
    'sparse',
    { metric_type: 'L2' },
    `only IP&BM25 is the supported metric type for sparse index${PARAMS_ENDING}`,
  ],
  [
    'sparse',
    { metric_type: 'BM25' },
    `only BM25 Function output field support BM25 metric type${PARAMS_ENDING}`,
  ],
  [
    'bits',
    { index_type: 'HNSW', metric_type: 'HAMMING' },
    `data type BinaryVector can't build with this index HNSW${PARAMS_ENDING}`,
  ],
  [
    'bytes',
    { index_type: 'IVF_FLAT', metric_type: 'L2' },
    `data type Int8Vector can't build with this index IVF_FLAT${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'INVERTED', metric_type: 'L2' },
    `data type FloatVector can't build with this index INVERTED${PARAMS_ENDING}`,
  ],
  ['text', { index_type: 'SCANN' }, 'index SCANN only supports vector data type: invalid parameter'],
  [
    'float',
    { index_type: 'IVF_FLAT', metric_type: 'L2', nlist: '0' },
    `Out of range in json: param 'nlist' (0) should be in range [1, 65536]${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'HNSW', metric_type: 'L2', M: '2049' },
    `Out of range in json: param 'M' (2049) should be in range [2, 2048]${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'HNSW', metric_type: 'L2', M: 'many' },
    `invalid integer value, key: 'M', value: 'many'${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'HNSW', metric_type: 'L2', efConstruction: '99999999999' },
    `integer value out of range, key: 'efConstruction', value: '99999999999'${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'HNSW', metric_type: 'L2', refine: 'true' },
    `refine is not supported for this index${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'HNSW_SQ', metric_type: 'L2', sq_type: 'SQ3' },
    `invalid scalar quantizer type${PARAMS_ENDING}`,
  ],
  [
    'float',
    { index_type: 'IVF_RABITQ_FASTSCAN', metric_type: 'L2', refine: 'true', refine_type: 'SQ8' },
    `invalid refine type : SQ8, optional types are [fp32, flat]${PARAMS_ENDING}`,
  ],
  ['float', { index_type: 'IVF_PQ', metric_type: 'L2' }, `param 'm' not exist in json${PARAMS_ENDING}`],
  [
    'float',
    { index_type: 'IVF_PQ', metric_type: 'L2', m: '3' },
    `The dimension of the vector (dim) should be a multiple of the number of subquantizers (m). Dimension: 4, m: 3${PARAMS_ENDING}`,
  ],
  [
    'sparse',
    { index_type: 'SPARSE_WAND', metric_type: 'IP', drop_ratio_build: '1' },
    `Out of range in json: param 'drop_ratio_build' (1) should be in range [0.000000, 1.000000)${PARAMS_ENDING}`,
  ],
  [
    'sparse',
    { index_type: 'SPARSE_WAND', metric_type: 'IP', inverted_index_algo: 'FAST' },
    `inverted_index_algo FAST not found or not supported, supported: [TAAT_NAIVE DAAT_WAND DAAT_MAXSCORE BLOCK_MAX_MAXSCORE BLOCK_MAX_WAND SINDI]${PARAMS_ENDING}`,
  ],
  [
    'sparse',
    { index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'IP', sindi_window_size: '512' },
    `Out of range in json: param 'sindi_window_size' (512) should be in range [1024, 65535]${PARAMS_ENDING}`,
  ],
  ['n', { index_type: 'Trie' }, `TRIE are only supported on varchar field${PARAMS_ENDING}`],
  ['x', { index_type: 'BITMAP' }, `bitmap index are only supported on bool, int, string${PARAMS_ENDING}`],
  ['id', { index_type: 'BITMAP' }, `create bitmap index on primary key not supported${PARAMS_ENDING}`],
  [
    'doubles',
    { index_type: 'BITMAP' },
    `bitmap index are only supported on bool, int, string for array field${PARAMS_ENDING}`,
  ],
  [
    'n',
    { index_type: 'NGRAM', min_gram: '1', max_gram: '2' },
    `Ngram index can only be created on VARCHAR or JSON field${PARAMS_ENDING}`,
  ],
  [
    'text',
    { index_type: 'NGRAM', min_gram: '1' },
    `Ngram index must specify both min_gram and max_gram${PARAMS_ENDING}`,
  ],
  [
    'text',
    { index_type: 'NGRAM', min_gram: '3', max_gram: '2' },
    `invalid min_gram or max_gram value for Ngram index, min_gram: 3, max_gram: 2${PARAMS_ENDING}`,
  ],
  ['text', { index_type: 'RTREE' }, `data type VarChar can't build with this index RTREE${PARAMS_ENDING}`],
  [
    'shape',
    { index_type: 'INVERTED' },
    `data type Geometry can't build with this index INVERTED${PARAMS_ENDING}`,
  ],
  ['shape', { index_type: 'STL_SORT' }, `STL_SORT are only supported on numeric field${PARAMS_ENDING}`],
  [
    'instant',
    { index_type: 'BITMAP' },
    `bitmap index are only supported on bool, int, string${PARAMS_ENDING}`,
  ],
  [
    'json',
    { index_type: 'INVERTED' },
    'json index must specify cast type: missing parameter[missing_param=json_cast_type]',
    1101,
  ],
  [
    'json',
    { index_type: 'INVERTED', json_cast_type: 'MONEY' },
    'json_cast_type MONEY is not supported: invalid parameter',
  ],
  [
    'json',
    { index_type: 'INVERTED', json_cast_type: 'BOOL', json_path: 'json[' },
    'cannot parse json path: json[: invalid parameter',
  ],
  ['float', { params: 'M=8' }, 'invalid JSON format in index params: M=8: invalid parameter'],
  ['float', { params: '[1]' }, 'index params should be a JSON object: [1]: invalid parameter'],
  [
    'float',
    { index_type: 'FLAT', params: '{"index_type": "HNSW"}' },
    'duplicated index param (key=index_type) (value=HNSW) found: invalid parameter',
  ],
];

const RIVAL = 'CreateIndex failed: at most one distinct index is allowed per field';

/** Definitions of indexes that break a rule. */
export const CREATE_INDEX_MISTAKES: readonly Mistake[] = [
  ...mistakesOf(
    'CreateIndex',
    [...refused, ...GRAPH_DEFINITIONS].map(([fieldName, pairs, reason, code = 1100]) => [
      `${fieldName} with ${JSON.stringify(pairs)}`,
      { collectionName: 'every', fieldName, extraParams: params(pairs) },
      code,
      reason,
    ]),
  ),
  ...mistakesOf('CreateIndex', [
    [
      'another metric than the index of the field has',
      {
        collectionName: 'books',
        fieldName: 'vector',
        extraParams: params({ index_type: 'FLAT', metric_type: 'IP' }),
      },
      65535,
      RIVAL,
    ],
    [
      'another name than the index of the field has',
      {
        collectionName: 'books',
        fieldName: 'vector',
        indexName: 'mine',
        extraParams: params({ index_type: 'FLAT', metric_type: 'L2' }),
      },
      65535,
      RIVAL,
    ],
    [
      'the name of the index of another field',
      { collectionName: 'books', fieldName: 'price', indexName: 'title' },
      65535,
      RIVAL,
    ],
    ...(
      [
        ['1i', 'The first character of a index name must be an underscore or letter.'],
        ['a-b', 'Index name can only contain numbers, letters, and underscores.'],
        ['größe', 'Index name can only contain numbers, letters, and underscores.'],
        ['i'.repeat(256), 'The length of a index name must be less than 255 characters.'],
      ] as const
    ).map(
      ([indexName, rule]) =>
        [
          `the name ${indexName}`,
          { collectionName: 'bare', fieldName: 'vector', indexName },
          1100,
          `Invalid index name: ${indexName}. ${rule}: invalid parameter`,
        ] as const,
    ),
    [
      'a dynamic key without a JSON path',
      { collectionName: 'books', fieldName: 'color' },
      65535,
      'cannot create index on non-exist field: color',
    ],
  ]),
];
