import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CollectionInfo,
  DataType,
  isRowsChanged,
  type PartitionId,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { WriteRequest } from '@elanus/rpc';
import { seededRandom } from '@elanus/runtime';
import { keyColumn, randomBatch } from '@elanus/segment/testing';
import { collectionFixture } from './testing/collection-fixture.ts';
import { FakeMessageLog, type FakeMessageLogOptions } from './testing/fake-message-log.ts';
import { channelOf, openWorkers, readTask, type Workers } from './testing/open-workers.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int32),
]);
const P1 = 1n as PartitionId;

interface Fixture extends Workers {
  readonly collection: CollectionInfo;
}

async function open(options: FakeMessageLogOptions = {}): Promise<Fixture> {
  const workers = openWorkers(new FakeMessageLog(options), seededRandom(1));
  const collection = collectionFixture({ schema, shards: 2, partitions: 1 });
  await workers.streaming.openCollection(collection);
  return { ...workers, collection };
}

function upsert(
  collection: CollectionInfo,
  keys: readonly bigint[],
  unchangedSince?: Timestamp,
): WriteRequest {
  const groups = Map.groupBy(keys, (key) => channelOf(key, collection));
  const parts = [...groups].map(([channel, own]) => ({
    channel,
    partitionId: P1,
    batch: randomBatch(schema, own, seededRandom(3)),
  }));
  return { kind: 'upsert', collection, parts, ...(unchangedSince === undefined ? {} : { unchangedSince }) };
}

function remove(collection: CollectionInfo, key: bigint): WriteRequest {
  const keys = keyColumn([key], DataType.Int64);
  const parts = [{ channel: channelOf(key, collection), partitionIds: null, keys }];
  return { kind: 'delete', collection, parts };
}

async function readTime({ query, collection }: Fixture): Promise<Timestamp> {
  return (await query.query({ ...readTask(collection), limit: 1, offset: 0 })).readTimestamp;
}

async function countOf({ query, collection }: Fixture): Promise<bigint> {
  return await query.count(readTask(collection));
}

describe('a write with a condition', () => {
  it('is made when nobody has written its keys since', async () => {
    const fixture = await open();
    const { streaming, collection } = fixture;
    await streaming.write(upsert(collection, [1n, 2n]));
    const since = await readTime(fixture);
    await streaming.write(upsert(collection, [5n, 6n]));
    await streaming.write(upsert(collection, [1n, 3n], since));
    assert.equal(await countOf(fixture), 5n);
  });

  const changes: readonly [what: string, change: (collection: CollectionInfo) => WriteRequest][] = [
    ['written again', (collection) => upsert(collection, [2n])],
    ['deleted', (collection) => remove(collection, 1n)],
    ['inserted', (collection) => upsert(collection, [3n])],
  ];
  for (const [what, change] of changes) {
    it(`is refused, with all of its rows, when a row was ${what}`, async () => {
      const fixture = await open();
      const { streaming, collection } = fixture;
      await streaming.write(upsert(collection, [1n, 2n]));
      const since = await readTime(fixture);
      await streaming.write(change(collection));
      const before = await countOf(fixture);
      await assert.rejects(streaming.write(upsert(collection, [1n, 2n, 3n, 4n], since)), isRowsChanged);
      assert.equal(await countOf(fixture), before);
    });
  }

  it('sees writes that are still on their way to the log', async () => {
    const gate = Promise.withResolvers<void>();
    let isSlow = false;
    const fixture = await open({ delay: async () => (isSlow ? await gate.promise : undefined) });
    const { streaming, collection } = fixture;
    await streaming.write(upsert(collection, [1n]));
    const since = await readTime(fixture);
    isSlow = true;
    const slow = streaming.write(upsert(collection, [1n]));
    const conditional = streaming.write(upsert(collection, [1n], since));
    gate.resolve();
    await slow;
    await assert.rejects(conditional, isRowsChanged);
  });
});
