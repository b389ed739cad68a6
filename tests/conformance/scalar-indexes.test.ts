import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { must } from './harness/must.ts';
import { conformanceSuite } from './harness/suite.ts';

const collection_name = 'parts';
const rowCount = 60_000;
const batchRows = 10_000;
const waitMsMax = 60_000;

type Settings = Readonly<Record<string, string | number>>;

const INDEXES: readonly (readonly [field: string, name: string, type: string, params: Settings])[] = [
  ['number', 'number', 'STL_SORT', {}],
  ['colour', 'colour', 'BITMAP', {}],
  ['code', 'code', 'Trie', {}],
  ['note', 'note', 'NGRAM', { min_gram: 2, max_gram: 3 }],
  ['tags', 'tags', 'INVERTED', {}],
  ['doc', 'doc_size', 'INVERTED', { json_path: 'doc["size"]', json_cast_type: 'DOUBLE' }],
  ['extra', 'extra', 'INVERTED', { json_path: 'extra["kind"]', json_cast_type: 'VARCHAR' }],
  ['place', 'place', 'RTREE', {}],
  ['price', 'price', 'AUTOINDEX', {}],
];

/** Filters with what they find, by row. */
const FILTERS: readonly (readonly [filter: string, isFound: (row: number) => boolean])[] = [
  ['number == 77', (row) => row % 1000 === 77],
  ['not (number < 990)', (row) => row % 1000 >= 990],
  ['colour == "red"', (row) => row % 7 === 0],
  ['code like "c123%"', (row) => String(row).startsWith('123')],
  ['note like "%9 9%"', (row) => `${row % 90} ${(row * 7) % 100}`.includes('9 9')],
  ['array_contains(tags, 12)', (row) => row % 50 === 12 || (row + 5) % 50 === 12],
  ['doc["size"] < 3', (row) => row % 400 < 3],
  ['doc["size"] == "3"', () => false],
  ['extra["kind"] == "k5"', (row) => row % 300 === 5],
  ['st_within(place, "POLYGON ((0 0, 2.5 0, 2.5 2.5, 0 2.5, 0 0))")', (row) => inSquare(row % 100, row % 60)],
  ['price >= 99.5 and number == 999', (row) => (row % 200) / 2 >= 99.5 && row % 1000 === 999],
  ['colour == "red" and code == "c700" or number == 5', (row) => row === 700 || row % 1000 === 5],
];

function inSquare(x: number, y: number): boolean {
  return x > 0 && x < 2.5 && y > 0 && y < 2.5;
}

await conformanceSuite('indexes', 'scalar indexes', [], () => {
  let server: ElanusProcess;
  let client: MilvusClient;
  const connect = () => {
    client = new MilvusClient({ address: server.address, logLevel: 'error', maxRetries: 0 });
  };
  before(async () => {
    server = await ElanusProcess.start();
    connect();
    await fill(client);
  });
  after(async () => {
    await client?.closeConnection();
    await server?.[Symbol.asyncDispose]();
  });

  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + waitMsMax;
    while (!(await isSo())) {
      assert.ok(Date.now() < deadline, `not so in time: ${what}`);
      await delay(100);
    }
  };
  const assertFound = async (): Promise<void> => {
    for (const [expr, isFound] of FILTERS) {
      let wanted = 0;
      for (let row = 0; row < rowCount; row++) wanted += isFound(row) ? 1 : 0;
      const { data } = must(await client.query({ collection_name, expr, output_fields: ['count(*)'] }));
      assert.equal(Number(data[0]?.['count(*)']), wanted, expr);
    }
  };

  test('are made, described and built, and change no answer', async () => {
    await assertFound();
    for (const [field_name, index_name, index_type, params] of INDEXES)
      must(await client.createIndex({ collection_name, field_name, index_name, index_type, params }));
    await until('all are built', async () => {
      const { index_descriptions } = must(await client.describeIndex({ collection_name }));
      assert.equal(index_descriptions.length, INDEXES.length + 1);
      return index_descriptions.every(({ state }) => String(state) === 'Finished');
    });
    assert.ok((await server.metric('elanus_scalar_index_rows')) > 0);
    await assertFound();
    await assertFound();
    assert.ok((await server.metric('elanus_filter_cache_hits')) > 0);
  });

  test('are read from their files after a start', async () => {
    must(await client.flush({ collection_names: [collection_name] }));
    // What is at rest is put together, so that every index is one piece over all rows.
    await until('all rows have indexes', async () => {
      return (await server.metric('elanus_scalar_index_rows')) === INDEXES.length * rowCount;
    });
    const builds = await server.metric('elanus_scalar_index_builds_total');
    assert.ok(builds >= INDEXES.length);
    await until('all indexes have files', async () => {
      return (await server.metric('elanus_scalar_index_files')) === INDEXES.length;
    });
    await client.closeConnection();
    await server.stop();
    await server.startAgain();
    connect();
    await assertFound();
    await until('all files are used', async () => {
      return (await server.metric('elanus_scalar_index_rows')) === INDEXES.length * rowCount;
    });
    assert.equal(await server.metric('elanus_scalar_index_builds_total'), 0);
    await assertFound();
  });

  test('are dropped while the collection is loaded', async () => {
    for (const [, index_name] of INDEXES) must(await client.dropIndex({ collection_name, index_name }));
    const { index_descriptions } = must(await client.describeIndex({ collection_name }));
    assert.deepEqual(
      index_descriptions.map(({ index_name }) => index_name),
      ['v'],
    );
    assert.equal(await server.metric('elanus_scalar_index_rows'), 0);
    await assertFound();
  });
});

async function fill(client: MilvusClient): Promise<void> {
  const fields = [
    { name: 'id', data_type: DataType.Int64, is_primary_key: true },
    { name: 'number', data_type: DataType.Int32 },
    { name: 'colour', data_type: DataType.VarChar, max_length: 10 },
    { name: 'code', data_type: DataType.VarChar, max_length: 10 },
    { name: 'note', data_type: DataType.VarChar, max_length: 20 },
    { name: 'tags', data_type: DataType.Array, element_type: DataType.Int64, max_capacity: 4 },
    { name: 'doc', data_type: DataType.JSON },
    { name: 'place', data_type: DataType.Geometry },
    { name: 'price', data_type: DataType.Double },
    { name: 'v', data_type: DataType.FloatVector, dim: 2 },
  ];
  const settings = { consistency_level: 'Strong', enable_dynamic_field: true } as const;
  must(await client.createCollection({ collection_name, fields, ...settings }));
  const vector = { field_name: 'v', index_name: 'v', index_type: 'FLAT', metric_type: 'L2' };
  must(await client.createIndex({ collection_name, ...vector }));
  must(await client.loadCollection({ collection_name }));
  for (let start = 0; start < rowCount; start += batchRows) {
    const data = Array.from({ length: batchRows }, (_, i) => rowOf(start + i));
    must(await client.insert({ collection_name, data }));
  }
}

function rowOf(row: number) {
  return {
    id: row,
    number: row % 1000,
    colour: ['red', 'green', 'blue', 'black', 'white', 'brown', 'grey'][row % 7]!,
    code: `c${row}`,
    note: `${row % 90} ${(row * 7) % 100}`,
    tags: [row % 50, (row + 5) % 50],
    doc: { size: row % 400 },
    extra: { kind: `k${row % 300}` },
    place: `POINT (${row % 100} ${row % 60})`,
    price: (row % 200) / 2,
    v: [1, row % 3],
  };
}
