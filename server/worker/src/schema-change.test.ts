import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type CollectionInfo,
  type CollectionSchema,
  DataType,
  type FieldId,
  type FieldSchema,
  type PartitionId,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { WriteRequest } from '@elanus/rpc';
import { seededRandom } from '@elanus/runtime';
import { randomBatch, valueAt } from '@elanus/segment/testing';
import { collectionFixture } from './testing/collection-fixture.ts';
import { FakeMessageLog } from './testing/fake-message-log.ts';
import { channelOf, openWorkers, readTask, type Workers } from './testing/open-workers.ts';

const KEY = fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true });
const VECTOR = fieldFixture(101, 'vector', DataType.FloatVector, { dim: 4 });
const NOTE = fieldFixture(102, 'note', DataType.VarChar, { nullable: true });
const SIZE = fieldFixture(103, 'size', DataType.Int64, { nullable: true, defaultValue: 42n });
const NOTE_AGAIN = fieldFixture(104, 'note', DataType.Timestamptz, { nullable: true });

const first = schemaFixture([KEY, VECTOR, NOTE]);

function changed(
  collection: CollectionInfo,
  fields: readonly FieldSchema[],
): CollectionInfo & { readonly schema: CollectionSchema } {
  const version = collection.schema.version + 1;
  return { ...collection, schema: schemaFixture(fields, { version }) };
}

function insert(collection: CollectionInfo, keys: readonly bigint[]): WriteRequest {
  const parts = [...Map.groupBy(keys, (key) => channelOf(key, collection))].map(([channel, own]) => ({
    channel,
    partitionId: 1n as PartitionId,
    batch: randomBatch(collection.schema, own, seededRandom(Number(own[0]))),
  }));
  return { kind: 'insert', collection, parts };
}

/** The values of a field by ascending key. */
async function valuesOf(
  { query }: Workers,
  collection: CollectionInfo,
  field: FieldSchema,
): Promise<unknown[]> {
  const found = await query.query({ ...readTask(collection), limit: null, offset: 0 });
  const columns = await query.fetch(collection.id, found.locations, [field.id as FieldId]);
  const column = columns.get(field.id)!;
  return Array.from({ length: column.length }, (_, row) => valueAt(column, row));
}

async function opened() {
  const log = new FakeMessageLog({});
  const workers = openWorkers(log, seededRandom(1));
  const collection = collectionFixture({ schema: first, shards: 2, partitions: 1 });
  await workers.streaming.openCollection(collection);
  return { ...workers, log, collection };
}

describe('a change of a schema', () => {
  it('is waited for by reads and writes that know of it before the worker does', async () => {
    const fixture = await opened();
    const { streaming, collection } = fixture;
    await streaming.write(insert(collection, [1n, 2n]));
    const next = changed(collection, [KEY, VECTOR, NOTE, SIZE]);
    const settled: string[] = [];
    const write = streaming.write(insert(next, [3n])).then(() => settled.push('write'));
    const read = valuesOf(fixture, next, SIZE).then((values) => {
      settled.push('read');
      return values;
    });
    for (let turns = 0; turns < 20; turns++) await turn();
    assert.deepEqual(settled, []);
    await streaming.updateCollection(next);
    await write;
    assert.deepEqual((await read).slice(0, 2), [42n, 42n]);
    const sizes = await valuesOf(fixture, next, SIZE);
    const again = openWorkers(fixture.log, seededRandom(2));
    await again.streaming.recover([next]);
    assert.deepEqual(await valuesOf(again, next, SIZE), sizes);
  });

  it('is no end of writes that were made before it', async () => {
    const fixture = await opened();
    const { streaming, collection } = fixture;
    const next = changed(collection, [KEY, VECTOR, SIZE]);
    await streaming.updateCollection(next);
    // Its rows have a column that is no more, and lack one that is new.
    await streaming.write(insert(collection, [1n, 2n]));
    assert.deepEqual(await valuesOf(fixture, next, SIZE), [42n, 42n]);
  });

  it('gives a field of a dropped one’s name none of its values, now and after a restart', async () => {
    const fixture = await opened();
    const { streaming, collection } = fixture;
    await streaming.write(insert(collection, [1n, 2n]));
    const without = changed(collection, [KEY, VECTOR]);
    await streaming.updateCollection(without);
    const again = changed(without, [KEY, VECTOR, NOTE_AGAIN]);
    await streaming.updateCollection(again);
    assert.deepEqual(await valuesOf(fixture, again, NOTE_AGAIN), [null, null]);
    const restarted = openWorkers(fixture.log, seededRandom(2));
    await restarted.streaming.recover([again]);
    assert.deepEqual(await valuesOf(restarted, again, NOTE_AGAIN), [null, null]);
  });

  it('lets nobody wait for ever for what was dropped', async () => {
    const fixture = await opened();
    const { streaming, collection } = fixture;
    const write = streaming.write(insert(changed(collection, [KEY, VECTOR, SIZE]), [1n]));
    await turn();
    await streaming.dropCollection(collection.id);
    await assert.rejects(write, /collection not found/);
  });
});
