import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, type DescribeIndexResponse, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { must } from './harness/must.ts';
import { conformanceSuite } from './harness/suite.ts';

const collection_name = 'graphs';
const field_name = 'v';
const dim = 96;
const rowCount = 40_000;
const batchRows = 5_000;
const buildMsMax = 120_000;

/** Vectors by their row, around one of a hundred centres. */
function vectorOf(row: number): number[] {
  const centre = -1 - (row % 100);
  return Array.from({ length: dim }, (_, i) => Math.fround(2 * noise(centre, i) + noise(row, i)));
}

/** From -0.5 to 0.5, the same for the same numbers. */
function noise(row: number, at: number): number {
  let mixed = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(at + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32 - 0.5;
}

await conformanceSuite('indexes', 'index builds', [], () => {
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

  const nearestIsItself = async (row: number): Promise<void> => {
    const { results } = must(
      await client.search({ collection_name, data: vectorOf(row), limit: 3, params: { ef: 128 } }),
    );
    assert.equal(Number(results[0]?.id), row);
  };
  /** The shares of the rows that are seen to be indexed until all are; `meanwhile` runs between two looks. */
  const watch = async (meanwhile: () => Promise<void>): Promise<number[]> => {
    const seen: number[] = [];
    const deadline = Date.now() + buildMsMax;
    while (true) {
      const { state, indexed_rows, total_rows } = await describe(client);
      seen.push(Number(indexed_rows) / Number(total_rows));
      if (state === 'Finished') return seen;
      assert.equal(state, 'InProgress');
      assert.ok(Date.now() < deadline, `not finished: ${seen.join(' ')}`);
      await meanwhile();
      await delay(20);
    }
  };

  test('are seen to go on, and searches are answered meanwhile', async () => {
    const definition = { index_type: 'HNSW', metric_type: 'L2', params: { M: 16, efConstruction: 200 } };
    must(await client.createIndex({ collection_name, field_name, ...definition }));
    must(await client.loadCollection({ collection_name }));
    assert.equal((await describe(client)).state, 'InProgress');
    assert.equal(await server.metric('elanus_index_builds_running'), 1);
    const seen = await watch(() => nearestIsItself(Math.floor(rowCount / 2)));
    assert.ok(new Set(seen).size > 3, `indexed: ${seen.join(' ')}`);
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      seen,
    );
    assert.equal(seen.at(-1), 1);
    assert.ok((await server.metric('elanus_index_rows')) > rowCount - 8);
    assert.equal(await server.metric('elanus_index_builds_total'), 1);
    // The index is a view of the segment's vectors, so its own are links and codes.
    const bytes = await server.metric('elanus_index_bytes');
    const links = 4 * 2 * definition.params.M * rowCount;
    assert.ok(bytes >= links && bytes < links + 4 * dim * rowCount, `${bytes} bytes`);
    for (let row = 0; row < rowCount; row += 3_001) await nearestIsItself(row);
  });

  test('begin again after a start, which answers before they are done', async () => {
    await client.closeConnection();
    await server.kill();
    await server.startAgain();
    connect();
    await nearestIsItself(17);
    assert.equal((await describe(client)).state, 'InProgress');
    assert.equal((await watch(() => nearestIsItself(18))).at(-1), 1);
    await nearestIsItself(19);
  });

  test('end with the index', async () => {
    must(await client.releaseCollection({ collection_name }));
    must(await client.dropIndex({ collection_name, field_name, index_name: field_name }));
    assert.equal(await server.metric('elanus_index_rows'), 0);
    must(
      await client.createIndex({ collection_name, field_name, index_type: 'AUTOINDEX', metric_type: 'IP' }),
    );
    assert.equal((await describe(client)).state, 'InProgress');
    must(await client.dropIndex({ collection_name, field_name, index_name: field_name }));
    assert.equal(await server.metric('elanus_index_builds_running'), 0);
    assert.equal(await server.metric('elanus_index_pieces'), 0);
  });
});

async function fill(client: MilvusClient): Promise<void> {
  const fields = [
    { name: 'id', data_type: DataType.Int64, is_primary_key: true },
    { name: field_name, data_type: DataType.FloatVector, dim },
  ];
  must(await client.createCollection({ collection_name, fields, consistency_level: 'Strong' }));
  for (let start = 0; start < rowCount; start += batchRows) {
    const data = Array.from({ length: batchRows }, (_, i) => ({ id: start + i, v: vectorOf(start + i) }));
    must(await client.insert({ collection_name, data }));
  }
}

async function describe(client: MilvusClient): Promise<DescribeIndexResponse['index_descriptions'][number]> {
  const { index_descriptions } = must(await client.describeIndex({ collection_name, field_name }));
  assert.ok(index_descriptions[0] !== undefined);
  return index_descriptions[0];
}
