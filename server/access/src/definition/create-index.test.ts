import assert from 'node:assert/strict';
import test from 'node:test';
import { EVERY_FIELD } from '../testing/prepared-collections.ts';
import { params } from '../testing/request-drafts.ts';
import { DefinitionFixture } from './definition-fixture.ts';

const c = { collectionName: 'c' };

async function everyFieldFixture(): Promise<DefinitionFixture> {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c', { fields: EVERY_FIELD });
  return fixture;
}

type Params = Readonly<Record<string, string>>;

const accepted: readonly (readonly [field: string, params: Params])[] = [
  ...[
    'FLAT',
    'IVF_FLAT',
    'IVF_SQ8',
    'IVF_RABITQ',
    'IVF_RABITQ_FASTSCAN',
    'HNSW',
    'HNSW_SQ',
    'HNSW_PQ',
    'HNSW_PRQ',
    'SCANN',
    'DISKANN',
    'AISAQ',
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
    { index_type: 'AISAQ', metric_type: 'IP', inline_pq: '-1', rearrange: 'False', num_entry_points: '0' },
  ],
  ...['HNSW', 'HNSW_SQ', 'HNSW_PQ', 'HNSW_PRQ', 'AUTOINDEX'].flatMap((type) =>
    ['float', 'half', 'bytes'].flatMap((field) =>
      ['L2', 'IP', 'cosine'].map((metric): readonly [string, Params] => [
        field,
        { index_type: type, metric_type: metric },
      ]),
    ),
  ),
  ['float', { index_type: 'HNSW', metric_type: 'L2', graph_layout: 'fast' }],
  ['float', { index_type: 'HNSW', metric_type: 'L2', graph_layout: 'Auto', refine: 'false' }],
  [
    'float',
    { index_type: 'HNSW_SQ', metric_type: 'L2', sq_type: 'sq4u', refine: 'True', refine_type: 'flat' },
  ],
  ['float', { index_type: 'HNSW_PQ', metric_type: 'L2', m: '4', nbits: '24' }],
  ['float', { index_type: 'HNSW_PRQ', metric_type: 'L2', m: '2', nrq: '16', nbits: '1' }],
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
  ['text', { index_type: 'STL_SORT' }],
  ['text', { index_type: 'Trie' }],
  ['text', { index_type: 'TRIE' }],
  ['text', { index_type: 'NGRAM', min_gram: '2', max_gram: '3' }],
  ['json', { index_type: 'INVERTED', json_cast_type: 'varchar', json_path: 'json["a"]["b"]' }],
  ['json', { index_type: 'NGRAM', json_cast_type: 'VARCHAR', min_gram: '1', max_gram: '1' }],
  ['numbers', { index_type: 'BITMAP' }],
  ['doubles', { index_type: 'INVERTED' }],
  ['instant', { index_type: 'STL_SORT' }],
  ['instant', { index_type: 'INVERTED' }],
  ['shape', { index_type: 'RTREE' }],
  ['shape', {}],
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
