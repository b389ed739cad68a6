import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CollectionInfo, DataType, type KeyColumn } from '@elanus/model';
import type { DeletePart } from '@elanus/rpc';
import { fieldOf } from '../wire/field-fixture.ts';
import { bookFields, collectionOf, WriteBench } from './write-fixture.ts';

const books = collectionOf(bookFields(fieldOf(DataType.Int64, { name: 'pages' })));

function partsOf(bench: WriteBench): readonly DeletePart[] {
  const [write] = bench.writes;
  assert.ok(write?.kind === 'delete');
  return write.parts;
}

function int64Keys(...keys: bigint[]): KeyColumn {
  const values = BigInt64Array.from(keys);
  return { dataType: DataType.Int64, length: keys.length, validity: null, values };
}

function valuesOf({ keys }: DeletePart): bigint[] {
  assert.ok(keys.dataType === DataType.Int64);
  return [...keys.values];
}

test('deletes listed keys without a look at the rows, loaded or not', async () => {
  const bench = new WriteBench(books);
  bench.isLoaded = false;
  const answer = await bench.delete({ expr: 'id in [1, 2, 99]' });
  assert.equal(answer.deleteCnt, 3n);
  assert.equal(answer.timestamp, 60n);
  assert.equal(answer.IDs, undefined);
  assert.deepEqual(answer.succIndex, []);
  assert.deepEqual(partsOf(bench).map(valuesOf), [[1n, 2n, 99n]]);
  assert.equal(partsOf(bench)[0]?.partitionIds, null);
  assert.equal(bench.queries.length, 0);
});

test('deletes what another filter finds at the time of the request', async () => {
  const bench = new WriteBench(books);
  bench.found = int64Keys(4n, 5n);
  const answer = await bench.delete({ expr: 'pages > 300', partitionName: 'new' });
  assert.equal(answer.deleteCnt, 2n);
  assert.deepEqual(partsOf(bench).map(valuesOf), [[4n, 5n]]);
  const [task] = bench.queries;
  assert.equal(task?.guarantee, 50n);
  assert.equal(task?.limit, null);
  assert.deepEqual(task?.partitionIds, [2n]);
  assert.deepEqual(partsOf(bench)[0]?.partitionIds, [2n]);
});

test('writes nothing when a filter finds nothing', async () => {
  const bench = new WriteBench(books);
  const answer = await bench.delete({ expr: 'pages > 300' });
  assert.deepEqual([answer.deleteCnt, answer.timestamp], [0n, 50n]);
  assert.equal(bench.writes.length, 0);
});

test('sends each key to its shard, in one write', async () => {
  const channels = ['dml_0', 'dml_1'] as unknown as CollectionInfo['channels'];
  const bench = new WriteBench({ ...books, channels });
  const keys = Array.from({ length: 50 }, (_, key) => BigInt(key));
  await bench.delete({ expr: `id in [${keys.join(',')}]` });
  assert.equal(bench.writes.length, 1);
  assert.equal(partsOf(bench).length, 2);
  const all = partsOf(bench).flatMap(valuesOf);
  assert.deepEqual(
    all.sort((left, right) => Number(left - right)),
    keys,
  );
});

test('fills templates', async () => {
  const bench = new WriteBench(books);
  const exprTemplateValues = new Map([['ids', { arrayVal: { longData: { data: [7n, 8n] } } }]]);
  await bench.delete({ expr: 'id in {ids}', exprTemplateValues });
  assert.deepEqual(partsOf(bench).map(valuesOf), [[7n, 8n]]);
});
