// What a program in JavaScript does with the server, beside the guide and the rows.
import assert from 'node:assert/strict';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const place = { name: 'v', data_type: DataType.FloatVector, dim: 2 };
const flatL2 = { field_name: 'v', index_type: 'FLAT', metric_type: 'L2' };

async function query(collection_name, filter, ...output_fields) {
  return (await must(client.query({ collection_name, filter, output_fields }))).data;
}

async function nearest(collection_name, options) {
  const answer = await must(client.search({ collection_name, limit: 10, ...options }));
  return answer.results.map((hit) => hit.id);
}

async function refused(call, reason) {
  let text;
  try {
    const answer = await call;
    const status = answer.status ?? answer;
    assert.notEqual(status.error_code, 'Success', `should have failed: ${reason}`);
    text = status.reason;
  } catch (error) {
    if (error.code === 'ERR_ASSERTION') throw error;
    text = error.reason ?? error.message;
  }
  assert.ok(text.includes(reason), `${text}\ndoes not say: ${reason}`);
}

check('a dimension is enough: the collection is created, indexed and loaded', async (collection_name) => {
  await must(client.createCollection({ collection_name, dimension: 4 }));
  const data = [
    { id: 1, vector: [1, 0, 0, 0], tag: 'a' },
    { id: 2, vector: [0, 1, 0, 0], tag: 'b' },
  ];
  await must(client.insert({ collection_name, data }));
  const answer = await must(
    client.search({
      collection_name,
      data: [1, 0.1, 0, 0],
      limit: 2,
      output_fields: ['tag'],
      consistency_level: 'Strong',
    }),
  );
  assert.deepEqual(
    answer.results.map((hit) => hit.tag),
    ['a', 'b'],
  );
});

check(
  'a collection is described with the properties and fields it was made with',
  async (collection_name) => {
    await createLoaded(collection_name, [place], flatL2, { shards_num: 2, description: 'ships' });
    const found = await must(client.describeCollection({ collection_name }));
    assert.equal(found.schema.description, 'ships');
    assert.equal(found.shards_num, 2);
    assert.equal(found.consistency_level, 'Strong');
    assert.deepEqual(
      found.schema.fields.map((field) => [field.name, field.data_type, field.fieldID]),
      [
        ['id', 'Int64', '100'],
        ['v', 'FloatVector', '101'],
      ],
    );
    assert.ok(Number(found.created_utc_timestamp) > 1.6e12);
  },
);

check('scalars of every type come back as they went in', async (collection_name) => {
  const values = {
    bool: true,
    int8: -128,
    int16: 32767,
    int32: -2147483648,
    int64: '9223372036854775807',
    float: 1.5,
    double: 1.7976931348623157e308,
    text: 'ünï 🪁',
    json: { a: [1, null, 'x'], b: { c: true } },
    list: ['a', '', 'c'],
  };
  const fields = [
    { name: 'bool', data_type: DataType.Bool },
    { name: 'int8', data_type: DataType.Int8 },
    { name: 'int16', data_type: DataType.Int16 },
    { name: 'int32', data_type: DataType.Int32 },
    { name: 'int64', data_type: DataType.Int64 },
    { name: 'float', data_type: DataType.Float },
    { name: 'double', data_type: DataType.Double },
    { name: 'text', data_type: DataType.VarChar, max_length: 50 },
    { name: 'json', data_type: DataType.JSON },
    {
      name: 'list',
      data_type: DataType.Array,
      element_type: DataType.VarChar,
      max_capacity: 5,
      max_length: 5,
    },
  ];
  await createLoaded(collection_name, [place, ...fields], flatL2);
  await must(client.insert({ collection_name, data: [{ id: 1, v: [0, 1], ...values }] }));
  const [row] = await query(collection_name, 'id == 1', '*');
  assert.deepEqual(row, { id: '1', v: [0, 1], ...values });
});

check(
  'nulls and defaults come back as they should',
  async (collection_name) => {
    const fields = [
      { name: 'number', data_type: DataType.Int64, nullable: true },
      { name: 'text', data_type: DataType.VarChar, max_length: 9, nullable: true },
      { name: 'flag', data_type: DataType.Bool, default_value: true },
      { name: 'word', data_type: DataType.VarChar, max_length: 9, default_value: 'none' },
    ];
    await createLoaded(collection_name, [place, ...fields], flatL2);
    const data = [
      { id: 1, v: [0, 1], number: 7, text: 'x', flag: false, word: 'some' },
      { id: 2, v: [0, 1], number: null, text: null },
      { id: 3, v: [0, 1] },
    ];
    await must(client.insert({ collection_name, data }));
    const rows = await query(collection_name, 'id > 0', 'number', 'text', 'flag', 'word');
    const empty = { number: null, text: null, flag: true, word: 'none' };
    assert.deepEqual(rows, [
      { id: '1', number: '7', text: 'x', flag: false, word: 'some' },
      { id: '2', ...empty },
      { id: '3', ...empty },
    ]);
  },
  '2.5',
);

const vectorTypes = [
  {
    type: 'FloatVector',
    dim: 4,
    metric_type: 'L2',
    vectors: [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 3, 0, 0],
    ],
  },
  {
    type: 'Float16Vector',
    dim: 4,
    metric_type: 'L2',
    vectors: [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 3, 0, 0],
    ],
  },
  {
    type: 'BFloat16Vector',
    dim: 4,
    metric_type: 'L2',
    vectors: [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 3, 0, 0],
    ],
  },
  {
    type: 'Int8Vector',
    dim: 4,
    metric_type: 'L2',
    vectors: [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 3, 0, 0],
    ],
    since: '2.6',
  },
  {
    type: 'BinaryVector',
    dim: 16,
    metric_type: 'HAMMING',
    vectors: [
      [0, 0],
      [0, 1],
      [255, 255],
    ],
  },
  { type: 'SparseFloatVector', metric_type: 'IP', vectors: [{ 1: 3, 7: 1 }, { 1: 2 }, { 7: 1 }] },
];

const plainestIndex = {
  SparseFloatVector: 'SPARSE_INVERTED_INDEX',
  BinaryVector: 'BIN_FLAT',
  Int8Vector: 'AUTOINDEX',
};

for (const { type, dim, metric_type, vectors, since } of vectorTypes) {
  check(
    `${type} is written, searched and read back`,
    async (collection_name) => {
      const sparse = type === 'SparseFloatVector';
      const index_type = plainestIndex[type] ?? 'FLAT';
      const field = { name: 'v', data_type: DataType[type], ...(sparse ? {} : { dim }) };
      await createLoaded(collection_name, [field], { field_name: 'v', index_type, metric_type });
      const data = vectors.map((v, id) => ({ id, v }));
      await must(client.insert({ collection_name, data }));
      assert.deepEqual(await nearest(collection_name, { data: vectors[0] }), ['0', '1', '2']);
      const rows = await query(collection_name, 'id >= 0', 'v');
      assert.deepEqual(
        rows.map(({ v }) => (Array.isArray(v) || !ArrayBuffer.isView(v) ? v : Array.from(v))),
        vectors,
      );
    },
    since,
  );
}

check('several query vectors are answered in order', async (collection_name) => {
  await createLoaded(collection_name, [place], flatL2);
  const data = Array.from({ length: 50 }, (_, id) => ({ id, v: [id, 0] }));
  await must(client.insert({ collection_name, data }));
  const vectors = [
    [40, 0],
    [3, 0],
  ];
  const answer = await must(client.search({ collection_name, data: vectors, limit: 2 }));
  assert.deepEqual(
    answer.results.map((hits) => hits[0].id),
    ['40', '3'],
  );
});

check('range search, offset, filter and partition work in one search', async (collection_name) => {
  await createLoaded(collection_name, [place], flatL2);
  const data = Array.from({ length: 50 }, (_, id) => ({ id, v: [id, 0] }));
  await must(client.insert({ collection_name, data }));
  const found = await nearest(collection_name, {
    data: [0, 0],
    filter: 'id != 6',
    offset: 1,
    partition_names: ['_default'],
    params: { radius: 100, range_filter: 16 },
  });
  assert.deepEqual(found, ['5', '7', '8', '9']);
});

check('auto ids are given out, text keys are kept', async (collection_name) => {
  const key = { name: 'key', data_type: DataType.Int64, is_primary_key: true, autoID: true };
  await must(client.createCollection({ collection_name, fields: [key, place] }));
  const { IDs } = await must(client.insert({ collection_name, data: [{ v: [0, 0] }, { v: [0, 1] }] }));
  assert.equal(new Set(IDs.int_id.data).size, 2);
  await must(client.dropCollection({ collection_name }));
  const text = { name: 'key', data_type: DataType.VarChar, max_length: 9, is_primary_key: true };
  await must(
    client.createCollection({ collection_name, fields: [text, place], consistency_level: 'Strong' }),
  );
  await must(client.createIndex({ collection_name, ...flatL2 }));
  await must(client.loadCollection({ collection_name }));
  await must(
    client.insert({
      collection_name,
      data: [
        { key: 'b', v: [0, 0] },
        { key: 'a', v: [0, 1] },
      ],
    }),
  );
  const rows = await must(client.get({ collection_name, ids: ['a'], output_fields: ['v'] }));
  assert.deepEqual(rows.data, [{ key: 'a', v: [0, 1] }]);
});

check('a partition key makes 64 partitions that nobody may name', async (collection_name) => {
  const tenant = { name: 'tenant', data_type: DataType.VarChar, max_length: 9, is_partition_key: true };
  await createLoaded(collection_name, [tenant, place], flatL2);
  const { partition_names } = await must(client.listPartitions({ collection_name }));
  assert.equal(partition_names.length, 64);
  const data = Array.from({ length: 40 }, (_, id) => ({ id, tenant: `t${id % 4}`, v: [id, 0] }));
  await must(client.insert({ collection_name, data }));
  assert.equal((await query(collection_name, 'tenant == "t1"', 'id')).length, 10);
  const mode = 'if partition key mode is used';
  await refused(
    client.createPartition({ collection_name, partition_name: 'mine' }),
    `disable create partition ${mode}`,
  );
  await refused(
    client.loadPartitions({ collection_name, partition_names: ['_default_0'] }),
    `disable load partitions ${mode}`,
  );
  await refused(
    client.query({ collection_name, filter: 'id > 0', partition_names: ['_default_0'] }),
    `not support manually specifying the partition names ${mode}`,
  );
});

check('an index is described, its progress told, and dropped', async (collection_name) => {
  await createLoaded(collection_name, [place], { ...flatL2, index_name: 'by_v' });
  const { index_descriptions } = await must(client.describeIndex({ collection_name }));
  assert.deepEqual(
    index_descriptions.map(({ index_name, field_name, state }) => ({ index_name, field_name, state })),
    [{ index_name: 'by_v', field_name: 'v', state: 'Finished' }],
  );
  assert.equal((await must(client.getIndexState({ collection_name, index_name: 'by_v' }))).state, 'Finished');
  const progress = await must(client.getIndexBuildProgress({ collection_name, index_name: 'by_v' }));
  assert.equal(progress.indexed_rows, progress.total_rows);
  await must(client.releaseCollection({ collection_name }));
  await must(client.dropIndex({ collection_name, index_name: 'by_v' }));
  const gone = await client.describeIndex({ collection_name });
  assert.equal(gone.status.error_code, 'IndexNotExist');
});

check('loading shows its progress, collections show whether they are loaded', async (collection_name) => {
  await createLoaded(collection_name, [place], flatL2);
  const { progress } = await must(client.getLoadingProgress({ collection_name }));
  assert.equal(Number(progress), 100);
  const all = await must(client.showCollections({ type: sdk.ShowCollectionsType.Loaded }));
  const mine = all.data.find(({ name }) => name === collection_name);
  assert.equal(Number(mine.loadedPercentage), 100);
  await must(client.releaseCollection({ collection_name }));
  assert.equal((await must(client.getLoadState({ collection_name }))).state, 'LoadStateNotLoad');
});

check('statistics count the live rows after a flush', async (collection_name) => {
  await createLoaded(collection_name, [place], flatL2);
  const data = Array.from({ length: 30 }, (_, id) => ({ id, v: [id, 0] }));
  await must(client.insert({ collection_name, data }));
  await must(client.flushSync({ collection_names: [collection_name] }));
  const stats = await must(client.getCollectionStatistics({ collection_name }));
  assert.equal(Number(stats.data.row_count), 30);
});

check(
  'a query iterator visits every row once',
  async (collection_name) => {
    await createLoaded(collection_name, [place], flatL2);
    const data = Array.from({ length: 60 }, (_, id) => ({ id, v: [id, 0] }));
    await must(client.insert({ collection_name, data }));
    const iterator = await client.queryIterator({
      collection_name,
      batchSize: 7,
      expr: 'id >= 0',
      output_fields: ['id'],
    });
    const keys = [];
    for await (const batch of iterator) keys.push(...batch.map((row) => Number(row.id)));
    assert.deepEqual(
      keys,
      Array.from({ length: 60 }, (_, id) => id),
    );
  },
  '2.5',
);

check('a collection is renamed', async (collection_name) => {
  await createLoaded(collection_name, [place], flatL2);
  const new_collection_name = `${collection_name}_new`;
  await must(client.renameCollection({ collection_name, new_collection_name }));
  assert.equal((await client.hasCollection({ collection_name })).value, false);
  assert.equal((await client.hasCollection({ collection_name: new_collection_name })).value, true);
  await must(client.dropCollection({ collection_name: new_collection_name }));
});

check('mistakes are answered with the codes that programs look for', async (collection_name) => {
  // Another name, because one version of the SDK remembers that this one was missing.
  const missing = await client.describeCollection({ collection_name: `${collection_name}_missing` });
  assert.equal(missing.status.error_code, 'UnexpectedError');
  assert.equal(Number(missing.status.code), 100);
  await createLoaded(collection_name, [place], flatL2);
  await refused(client.insert({ collection_name, data: [{ id: 1, v: [1, 2, 3] }] }), '');
  await refused(client.query({ collection_name, filter: 'id >' }), 'cannot parse expression');
  await refused(
    client.search({ collection_name, data: [0, 0], limit: 16385 }),
    'should be in range [1, 16384]',
  );
  await refused(
    client.createIndex({ collection_name, field_name: 'w', index_type: 'FLAT', metric_type: 'L2' }),
    'cannot create index on non-exist',
  );
  await refused(
    client.createPartition({ collection_name, partition_name: 'a b' }),
    'Invalid partition name: a b',
  );
  assert.deepEqual(await query(collection_name, 'id > 0', 'id'), []);
});

check('version, health and databases are told', async () => {
  assert.match((await must(client.getVersion())).version, /^v?\d+\.\d+/);
  assert.ok((await must(client.listDatabases())).db_names.includes('default'));
});

await runChecks();
