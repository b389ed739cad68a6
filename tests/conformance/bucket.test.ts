import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAll, openObjectStore } from '@elanus/object-store';
import { startRadosgw, whyNoRadosgw } from '@elanus/object-store/testing';
import { NodeDisk, systemClock, systemRandom } from '@elanus/runtime';
import { ElanusProcess } from '@elanus/tests-harness';
import { ConsistencyLevelEnum, DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { withClient } from './harness/with-client.ts';

const ROWS = 6_000;
const DIM = 192;
const collection_name = 'in_a_bucket';
const consistency_level = ConsistencyLevelEnum.Strong;
const reason = whyNoRadosgw();

describe('a server whose files are in a bucket of S3', { skip: reason ?? false }, () => {
  test('answers the same after a kill, also when its copies are gone', async () => {
    await using s3 = await startRadosgw();
    const environment = environmentOf(s3.settings);
    const bucket = await openObjectStore(
      { ...s3.settings, prefix: 'of-a-test' },
      { clock: systemClock, random: systemRandom, disk: new NodeDisk() },
    );
    await using server = await ElanusProcess.start(environment);
    const expected = await withClient(server, async (client) => {
      await fill(client);
      await untilIndexIsStored(async () => (await keysIn(bucket)).some((key) => key.endsWith('.idx')));
      return await answers(client);
    });
    const keys = await keysIn(bucket);
    for (const folder of ['log-snapshot', 'delta', 'index'])
      assert.ok(
        keys.some((key) => key.includes(`/${folder}/`)),
        `${folder} in ${keys}`,
      );
    await server.kill();
    await server.startAgain();
    assert.deepEqual(await withClient(server, answers), expected);
    assert.equal(await server.stop(), 0);
    const copies = join(server.dataDirectory, 'cache', 'copies');
    assert.notDeepEqual(await readdir(copies), []);
    await rm(copies, { recursive: true });
    await server.startAgain();
    assert.deepEqual(await withClient(server, answers), expected);
    assert.notDeepEqual(await readdir(copies), []);

    const startOther = async () => {
      await using _other = await ElanusProcess.start(environment);
    };
    await assert.rejects(startOther(), /belongs to another data directory/);
    await bucket.close();
  });

  test('says in one sentence what is wrong with its bucket', async () => {
    await using s3 = await startRadosgw();
    const environment = environmentOf(s3.settings);
    const refused = async (change: Record<string, string>, sentence: RegExp): Promise<void> => {
      // Should it start after all, it has to end with the test.
      const start = async () => {
        await using _server = await ElanusProcess.start({ ...environment, ...change });
      };
      await assert.rejects(start(), sentence);
    };
    const place = /the object store can't be used \(s3 bucket elanus at http:/;
    await refused({ MINIO_SECRET_ACCESS_KEY: 'wrong' }, place);
    await refused({ COMMON_STORAGETYPE: 'tape' }, /COMMON_STORAGETYPE is "tape", it must be one of/);
  });
});

function environmentOf({ endpoint, credentials }: { endpoint: string | null; credentials: object | null }) {
  const { accessKeyId, secretAccessKey } = credentials as { accessKeyId: string; secretAccessKey: string };
  return {
    MINIO_ADDRESS: endpoint!,
    MINIO_ACCESS_KEY_ID: accessKeyId,
    MINIO_SECRET_ACCESS_KEY: secretAccessKey,
    MINIO_BUCKET_NAME: 'elanus',
    MINIO_ROOT_PATH: 'of-a-test',
  };
}

async function keysIn(bucket: Parameters<typeof listAll>[0]): Promise<string[]> {
  return (await Array.fromAsync(listAll(bucket, ''))).map(({ key }) => key);
}

/** An index is written behind the rows: nothing tells when. */
async function untilIndexIsStored(isStored: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await isStored()) return;
    await sleep(200);
  }
  assert.fail('no index was written');
}

async function fill(client: MilvusClient): Promise<void> {
  await ok(
    client.createCollection({
      collection_name,
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        { name: 'tag', data_type: DataType.VarChar, max_length: 20 },
        { name: 'vector', data_type: DataType.FloatVector, dim: DIM },
      ],
    }),
  );
  await ok(
    client.createIndex({
      collection_name,
      field_name: 'vector',
      index_type: 'HNSW',
      metric_type: 'L2',
      params: { M: 8, efConstruction: 40 },
    }),
  );
  await ok(client.loadCollection({ collection_name }));
  for (let first = 0; first < ROWS; first += 1_000) {
    const data = Array.from({ length: 1_000 }, (_, i) => ({
      id: first + i,
      tag: `tag ${i % 7}`,
      vector: vectorOf(first + i),
    }));
    await ok(client.insert({ collection_name, data }));
  }
  await ok(client.delete({ collection_name, filter: 'id in [1, 2, 3]' }));
  await client.flushSync({ collection_names: [collection_name] });
}

function vectorOf(row: number): number[] {
  return Array.from({ length: DIM }, (_, i) => Math.sin(row * 12.9898 + i * 78.233));
}

async function answers(client: MilvusClient): Promise<unknown> {
  const search = await client.search({
    collection_name,
    data: [vectorOf(4_321)],
    limit: 1,
    output_fields: ['tag'],
    consistency_level,
  });
  await ok(Promise.resolve(search));
  const count = await client.query({
    collection_name,
    filter: '',
    output_fields: ['count(*)'],
    consistency_level,
  });
  const rows = await client.query({
    collection_name,
    filter: 'tag == "tag 3" and id < 40',
    output_fields: ['id', 'tag', 'vector'],
    consistency_level,
  });
  return { hits: search.results, count: count.data, rows: rows.data };
}

async function ok(
  answer: Promise<{ status?: { error_code: unknown; reason: string } } | object>,
): Promise<void> {
  const { status = (await answer) as { error_code: unknown; reason: string } } = (await answer) as {
    status?: { error_code: unknown; reason: string };
  };
  assert.equal(status.error_code, 'Success', status.reason);
}
