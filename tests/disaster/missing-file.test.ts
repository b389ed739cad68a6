import assert from 'node:assert/strict';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';

const NAMES = ['whole', 'holed'] as const;
const ROWS = 50;
const DIMENSIONS = 8;

test('a server starts without a segment’s file: what needs it fails by name, the rest is served, and nothing is lost', async () => {
  await using server = await ElanusProcess.start();
  const id = await withClient(server, async (client) => {
    for (const name of NAMES) await fill(client, name);
    return (await client.describeCollection({ collection_name: 'holed' })).collectionID;
  });
  await server.kill();
  const { path, segment } = await segmentFileOf(server, String(id));
  await rename(path, `${path}.away`);

  await server.startAgain();
  await withClient(server, async (client) => {
    assert.equal(await count(client, 'whole'), ROWS);
    const { status } = await client.query({ collection_name: 'holed', filter: 'id >= 0', limit: 10 });
    assert.equal(status.code, 1009);
    assert.ok(status.reason.includes(segment), status.reason);
    await insert(client, 'holed', ROWS, 5);
    assert.equal(await count(client, 'whole'), ROWS);
  });
  assert.equal(await server.stop(), 0);
  await rename(`${path}.away`, path);

  await server.startAgain();
  await withClient(server, async (client) => {
    assert.equal(await count(client, 'holed'), ROWS + 5);
  });
});

async function fill(client: MilvusClient, name: string): Promise<void> {
  await client.createCollection({
    collection_name: name,
    fields: [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'vector', data_type: DataType.FloatVector, dim: DIMENSIONS },
    ],
    index_params: [{ field_name: 'vector', index_type: 'FLAT', metric_type: 'L2' }],
  });
  await client.loadCollectionSync({ collection_name: name });
  await insert(client, name, 0, ROWS);
  await client.flushSync({ collection_names: [name] });
}

async function insert(client: MilvusClient, name: string, first: number, count: number): Promise<void> {
  const data = Array.from({ length: count }, (_, i) => ({
    id: first + i,
    vector: Array.from({ length: DIMENSIONS }, () => i),
  }));
  const { status } = await client.insert({ collection_name: name, data });
  assert.equal(status.error_code, 'Success', status.reason);
}

async function count(client: MilvusClient, name: string): Promise<number> {
  return Number((await client.count({ collection_name: name })).data);
}

async function segmentFileOf(
  server: ElanusProcess,
  collection: string,
): Promise<{ readonly path: string; readonly segment: string }> {
  const folder = join(server.dataDirectory, 'objects', `collection-${collection}`, 'log-snapshot');
  const [file] = await readdir(folder);
  return { path: join(folder, file!), segment: file!.replace('.arrow', '') };
}

async function withClient<Result>(
  { address }: ElanusProcess,
  work: (client: MilvusClient) => Promise<Result>,
): Promise<Result> {
  // A port may come again after a kill: no memory of failures is shared.
  const channelOptions = { 'grpc.use_local_subchannel_pool': 1 } as const;
  const client = new MilvusClient({ address, maxRetries: 0, channelOptions });
  try {
    await client.connectPromise;
    return await work(client);
  } finally {
    await client.closeConnection();
  }
}
