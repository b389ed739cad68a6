import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite } from './harness/suite.ts';

type Json = Record<string, unknown>;

const FIELDS = [
  { fieldName: 'id', dataType: 'Int64', isPrimary: true },
  { fieldName: 'colour', dataType: 'VarChar', elementTypeParams: { max_length: 20 } },
  { fieldName: 'price', dataType: 'Int64' },
  { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
];
const PARTS = {
  fieldName: 'parts',
  typeParams: { max_capacity: 4 },
  nullable: true,
  fields: [
    { fieldName: 'size', dataType: 'Array', elementDataType: 'Int32' },
    {
      fieldName: 'spot',
      dataType: 'ArrayOfVector',
      elementDataType: 'FloatVector',
      elementTypeParams: { dim: 2 },
    },
  ],
};
const INDEXES = [
  { fieldName: 'v', metricType: 'L2', indexType: 'FLAT' },
  {
    fieldName: 'parts[spot]',
    metricType: 'MAX_SIM_COSINE',
    indexType: 'HNSW',
    params: { M: 8, efConstruction: 64 },
  },
];
const ROWS = [
  {
    id: 1,
    colour: 'red',
    price: 10,
    v: [0, 1],
    parts: [
      { size: 7, spot: [1, 2] },
      { size: -1, spot: [0.5, 0] },
    ],
  },
  { id: 2, colour: 'blue', price: 20, v: [0, 2], parts: [] },
  { id: 3, colour: 'red', price: 30, v: [0, 3], parts: null },
];

await conformanceSuite('node', 'REST, what version 3 brought', [], () => {
  let server: RunningServer;
  before(async () => {
    server = await serverUnderTest();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  async function post(path: string, body: unknown): Promise<Json> {
    const answer = await fetch(`http://${server.address}/v2/vectordb/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as Json;
  }

  async function done(path: string, body: Json): Promise<Json> {
    const answer = await post(path, body);
    assert.equal(answer.code, 0, `${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async function filled(collectionName: string): Promise<void> {
    await done('collections/create', {
      collectionName,
      schema: { fields: FIELDS, structFields: [PARTS] },
      indexParams: INDEXES,
      params: { consistencyLevel: 'Strong' },
    });
    await done('entities/insert', { collectionName, data: ROWS });
  }

  test('arrays of structs are described, written, found and shown', async () => {
    const collectionName = 'structs';
    await filled(collectionName);
    const described = (await done('collections/describe', { collectionName })).data as Json;
    const [parts] = described.structFields as Json[];
    assert.deepEqual([parts!.name, parts!.type, parts!.nullable], ['parts', 'ArrayOfStruct', true]);
    assert.deepEqual(
      (parts!.fields as Json[]).map(({ name, type, elementType }) => [name, type, elementType]),
      [
        ['size', 'Array', 'Int32'],
        ['spot', 'ArrayOfVector', 'FloatVector'],
      ],
    );
    const shown = (await done('entities/query', { collectionName, filter: 'id > 0' })).data;
    assert.deepEqual(shown, ROWS);
    const filter = 'match_any(parts, $[size] == 7)';
    const found = await done('entities/query', { collectionName, filter, outputFields: ['id'] });
    assert.deepEqual(found.data, [{ id: 1 }]);
    const misfits: readonly unknown[] = [
      7,
      [7],
      [{ size: 7 }],
      [{ size: 7, spot: [1] }],
      [{ ...ROWS[0], size: 1 }],
    ];
    for (const parts of misfits) {
      const answer = await post('entities/insert', { collectionName, data: { ...ROWS[0], parts } });
      assert.equal(answer.code, 1804, JSON.stringify(answer));
    }
    await done('collections/drop', { collectionName });
  });

  test('queries, searches and hybrid searches explain themselves beside their data', async () => {
    const collectionName = 'explained';
    await filled(collectionName);
    const query = { collectionName, filter: 'price > 10', outputFields: ['id'] };
    const search = { collectionName, annsField: 'v', data: [[0, 0]], limit: 1, filter: 'price > 10' };
    const legs = [1, 2].map(() => ({ annsField: 'v', data: [[0, 0]], limit: 2, params: { explain: true } }));
    const answers = [
      await done('entities/query', { ...query, explain: true }),
      await done('entities/query', { ...query, outputFields: ['count(*)'], explain: true }),
      await done('entities/search', { ...search, searchParams: { explain: 'analyze' } }),
      await done('entities/hybrid_search', { collectionName, search: legs, rerank: { strategy: 'rrf' } }),
    ];
    const explained = answers.map(({ explain }) => explain as { request: string; reads: readonly Json[] });
    assert.deepEqual(
      explained.map(({ request, reads }) => [request, ...reads.map(({ kind }) => kind)]),
      [
        ['Query', 'query'],
        ['Query', 'count'],
        ['Search', 'search'],
        ['HybridSearch', 'search', 'search'],
      ],
    );
    assert.deepEqual([explained[2]!.reads[0]!.recall, explained[2]!.reads[0]!.missed], [[1], []]);
    assert.equal('explain' in (await done('entities/query', query)), false);
    const wrong = await post('entities/query', { ...query, explain: 'aloud' });
    assert.deepEqual([wrong.code, 'data' in wrong], [1100, false]);
    await done('collections/drop', { collectionName });
  });

  test('fields are added and dropped', async () => {
    const collectionName = 'fields_of_rest';
    await filled(collectionName);
    const more = { fieldName: 'more', dataType: 'Int32', nullable: true };
    await done('collections/fields/add', { collectionName, schema: more });
    const added = { ...PARTS, fieldName: 'others', fields: PARTS.fields.slice(0, 1) };
    await done('collections/struct_fields/add', { collectionName, schema: added });
    await done('collections/fields/drop', { collectionName, fieldName: 'more' });
    const both = await post('collections/fields/drop', { collectionName, fieldName: 'price', fieldId: 102 });
    assert.equal(both.code, 1100);
    const { data } = await done('collections/describe', { collectionName });
    const described = data as { fields: Json[]; structFields: Json[] };
    assert.deepEqual(
      described.fields.map(({ name }) => name),
      ['id', 'colour', 'price', 'v'],
    );
    assert.deepEqual(
      described.structFields.map(({ name }) => name),
      ['parts', 'others'],
    );
    await done('collections/drop', { collectionName });
  });

  test('hits come in buckets', async () => {
    const collectionName = 'buckets_of_rest';
    await filled(collectionName);
    const answer = await done('entities/search', {
      collectionName,
      data: [[0, 0]],
      annsField: 'v',
      limit: 3,
      searchAggregation: {
        fields: ['colour'],
        size: 2,
        metrics: { dearest: { op: 'max', fieldName: 'price' } },
        order: [{ key: '_count', direction: 'desc' }],
        topHits: { size: 1 },
      },
    });
    assert.deepEqual(answer.aggTopks, [2]);
    const [{ buckets }] = answer.data as [{ buckets: Json[] }];
    assert.deepEqual(
      buckets.map(({ key, count, metrics }) => [(key as Json[])[0]!.value, count, metrics]),
      [
        ['red', 2, { dearest: 30 }],
        ['blue', 1, { dearest: 20 }],
      ],
    );
    assert.deepEqual((buckets[0]!.hits as Json[])[0]!.pk, 1);
    await done('collections/drop', { collectionName });
  });

  test('chains of functions rank hits again', async () => {
    const collectionName = 'chains_of_rest';
    await filled(collectionName);
    const stage = (name: string) => `FunctionChainStage${name}Rerank`;
    const total = {
      name: 'num_combine',
      args: [{ column: '$score' }, { column: { name: 'price' } }],
      params: { mode: 'weighted', weights: [1, 0.5] },
    };
    const search = { collectionName, data: [[0, 0]], annsField: 'v', limit: 3 };
    const summed = { stage: stage('L0'), ops: [{ op: 'map', expr: total, outputs: ['$score'] }] };
    const last = { column: 'id', desc: false };
    const sorted = {
      stage: 5,
      name: 'by key',
      ops: [
        { op: 'sort', params: last },
        { op: 'limit', params: { limit: 2 } },
      ],
    };
    // Distances are negative where segments rank them: -d + price / 2.
    const { data } = await done('entities/search', { ...search, functionChains: [summed, sorted] });
    const shown = (data as Json[]).map(({ id, distance }) => [Number(id), distance]);
    assert.deepEqual(shown, [
      [1, -4],
      [2, -6],
    ]);
    for (const wrong of ['L0Rerank', 7, null]) {
      const answer = await post('entities/search', {
        ...search,
        functionChains: [{ ...summed, stage: wrong }],
      });
      assert.equal(answer.code, 1100, JSON.stringify(answer));
    }
    await done('collections/drop', { collectionName });
  });

  const REFUSED: readonly (readonly [path: string, body: Json, code: number])[] = [
    ['collections/alter_function', { functionName: 'f', function: { name: 'f', type: 'BM25' } }, 1100],
    ['collections/drop_function', { FunctionName: 'f' }, 1100],
    ['collections/drop_function', {}, 1802],
    ['collections/drop_function_field', { functionName: 'f' }, 1100],
    ['entities/search', { data: [[0, 0]], annsField: 'v', functionChains: [{ name: 'f' }] }, 1100],
    ['snapshots/create', { snapshotName: 's' }, 10],
    ['jobs/external_collection/list', {}, 10],
    ['segments/describe', { collectionID: 1 }, 10],
    ['quotacenter/describe', {}, 10],
  ];
  test('what is not served is refused as over gRPC', async () => {
    const collectionName = 'refusals';
    await filled(collectionName);
    for (const [path, body, code] of REFUSED) {
      const answer = await post(path, { collectionName, ...body });
      assert.equal(answer.code, code, `${path}: ${JSON.stringify(answer)}`);
    }
    await done('collections/drop', { collectionName });
  });
});
