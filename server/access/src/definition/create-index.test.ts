import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType } from '@elanus/model';
import { DefinitionFixture, key, params, vector } from './definition-fixture.ts';

const c = { collectionName: 'c' };
const PARAMS_ENDING = ': invalid parameter[expected=valid index params][actual=invalid index params]';
const invalidType = (type: string) =>
  `invalid parameter[expected=valid index][actual=invalid index type: ${type}]`;

/** One field of every kind, named after it. */
async function everyFieldFixture(): Promise<DefinitionFixture> {
  const fixture = await DefinitionFixture.open();
  const array = (elementType: DataType) => ({
    dataType: DataType.Array,
    elementType,
    typeParams: params({ max_capacity: '4', max_length: '4' }),
  });
  await fixture.createCollection('c', {
    fields: [
      key(),
      vector({ name: 'float' }),
      vector({ name: 'half', dataType: DataType.Float16Vector }),
      vector({ name: 'bytes', dataType: DataType.Int8Vector }),
      vector({ name: 'bits', dataType: DataType.BinaryVector, typeParams: params({ dim: '8' }) }),
      { name: 'sparse', dataType: DataType.SparseFloatVector },
      { name: 'flag', dataType: DataType.Bool },
      { name: 'n', dataType: DataType.Int64 },
      { name: 'x', dataType: DataType.Double },
      { name: 'text', dataType: DataType.VarChar, typeParams: params({ max_length: '9' }) },
      { name: 'json', dataType: DataType.JSON },
      { name: 'numbers', ...array(DataType.Int32) },
      { name: 'doubles', ...array(DataType.Double) },
    ],
  });
  return fixture;
}

type Params = Readonly<Record<string, string>>;

const accepted: readonly (readonly [field: string, params: Params])[] = [
  ...[
    'FLAT',
    'IVF_FLAT',
    'IVF_SQ8',
    'IVF_RABITQ',
    'HNSW',
    'HNSW_SQ',
    'HNSW_PQ',
    'HNSW_PRQ',
    'SCANN',
    'DISKANN',
    'AUTOINDEX',
    '',
  ].map((type): readonly [string, Params] => ['float', { index_type: type, metric_type: 'L2' }]),
  ['float', {}],
  ['float', { metric_type: '' }],
  ['float', { index_type: 'IVF_PQ', metric_type: 'IP', m: '2', nbits: '8', nlist: '65536' }],
  ['float', { index_type: 'HNSW', metric_type: 'L2', M: '2048', efConstruction: '1', extra: 'kept' }],
  ['float', { index_type: 'AUTOINDEX', 'mmap.enabled': 'true' }],
  [
    'half',
    { index_type: 'IVF_SQ8', metric_type: 'COSINE', sq_type: 'sq4', refine: 'true', refine_type: 'fp16' },
  ],
  ['bytes', { index_type: 'HNSW', metric_type: 'COSINE' }],
  ['bits', { index_type: 'BIN_FLAT', metric_type: 'JACCARD' }],
  ['bits', { index_type: 'BIN_IVF_FLAT', metric_type: 'HAMMING', nlist: '1' }],
  ['sparse', { index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'IP', inverted_index_algo: 'daat_wand' }],
  ['sparse', { index_type: 'SPARSE_WAND', metric_type: 'IP', drop_ratio_build: '0.2' }],
  ['flag', {}],
  ['flag', { index_type: 'BITMAP' }],
  ['n', { index_type: 'STL_SORT' }],
  ['n', { index_type: 'INVERTED' }],
  ['x', { index_type: 'STL_SORT' }],
  ['text', { index_type: 'Trie' }],
  ['text', { index_type: 'TRIE' }],
  ['text', { index_type: 'NGRAM', min_gram: '2', max_gram: '3' }],
  ['json', { index_type: 'INVERTED', json_cast_type: 'varchar', json_path: 'json["a"]["b"]' }],
  ['json', { index_type: 'NGRAM', json_cast_type: 'VARCHAR', min_gram: '1', max_gram: '1' }],
  ['numbers', { index_type: 'BITMAP' }],
  ['doubles', { index_type: 'INVERTED' }],
];
for (const [fieldName, pairs] of accepted) {
  test(`an index on ${fieldName} with ${JSON.stringify(pairs)} is made, and made again`, async () => {
    const fixture = await everyFieldFixture();
    const request = { ...c, fieldName, extraParams: params(pairs) };
    await fixture.call('CreateIndex', request);
    await fixture.call('CreateIndex', request);
    assert.equal((await fixture.call('DescribeIndex', c)).indexDescriptions.length, 1);
  });
}

const refused: readonly [
  field: string,
  params: Readonly<Record<string, string>>,
  reason: string,
  code?: number,
][] = [
  ['nothing', {}, 'cannot create index on non-exist field: nothing', 65535],
  ['float', { index_type: 'NO_SUCH', metric_type: 'L2' }, invalidType('NO_SUCH')],
  ['float', { index_type: 'GPU_CAGRA', metric_type: 'L2' }, invalidType('GPU_CAGRA')],
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
    `inverted_index_algo FAST not found or not supported, supported: [TAAT_NAIVE DAAT_WAND DAAT_MAXSCORE]${PARAMS_ENDING}`,
  ],
  ['text', { index_type: 'STL_SORT' }, `STL_SORT are only supported on numeric field${PARAMS_ENDING}`],
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
for (const [fieldName, pairs, reason, code = 1100] of refused) {
  test(`an index on ${fieldName} with ${JSON.stringify(pairs)} is refused`, async () => {
    const fixture = await everyFieldFixture();
    const before = fixture.catalogBytes();
    const refusal = await fixture.refusal('CreateIndex', { ...c, fieldName, extraParams: params(pairs) });
    assert.equal(refusal.reason, reason);
    assert.equal(refusal.code, code);
    assert.equal(fixture.catalogBytes(), before);
  });
}

test('a field has one index, and a name belongs to one', async () => {
  const fixture = await everyFieldFixture();
  const make = (fieldName: string, indexName: string, metric = 'L2') => ({
    ...c,
    fieldName,
    indexName,
    extraParams: params({ metric_type: metric }),
  });
  await fixture.call('CreateIndex', make('float', 'mine'));
  await fixture.call('CreateIndex', make('float', ''));
  await fixture.call('CreateIndex', make('float', 'mine'));
  for (const request of [make('float', '', 'IP'), make('float', 'other'), make('half', 'mine')]) {
    assert.deepEqual(await fixture.refusal('CreateIndex', request), {
      code: 65535,
      legacyCode: 1,
      reason: 'CreateIndex failed: at most one distinct index is allowed per field',
    });
  }
  for (const name of ['1i', 'a-b', 'i'.repeat(256)]) {
    const { code, reason } = await fixture.refusal('CreateIndex', make('half', name));
    assert.equal(code, 1100);
    assert.ok(reason.startsWith(`Invalid index name: ${name}. `), reason);
  }
});

test('a JSON field has an index for each path', async () => {
  const fixture = await everyFieldFixture();
  const make = (path: string, type: string) => ({
    ...c,
    fieldName: 'json',
    extraParams: params({ index_type: 'INVERTED', json_cast_type: type, json_path: path }),
  });
  await fixture.call('CreateIndex', make('json["a"]', 'DOUBLE'));
  await fixture.call('CreateIndex', make('json["b"]', 'DOUBLE'));
  await fixture.call('CreateIndex', make('json["b"]', 'DOUBLE'));
  assert.equal((await fixture.refusal('CreateIndex', make("json['b']", 'VARCHAR'))).code, 65535);
  const { indexDescriptions } = await fixture.call('DescribeIndex', c);
  assert.deepEqual(
    indexDescriptions.map(({ indexName }) => indexName),
    ['json/a', 'json/b'],
  );
});
