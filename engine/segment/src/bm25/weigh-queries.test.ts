import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataType, type FieldId, TIMESTAMP_MAX } from '@elanus/model';
import type { QueryVectors } from '@elanus/rpc';
import { LoopShare, systemClock } from '@elanus/runtime';
import type { Read } from '../read.ts';
import { weighQueries } from './weigh-queries.ts';

const read: Read = {
  shards: [],
  scope: { partitionIds: null, at: TIMESTAMP_MAX },
  selection: null,
  share: new LoopShare(systemClock),
};

function queriesOf(...lists: readonly (readonly (readonly [number, number])[])[]): QueryVectors {
  const offsets = new Uint32Array(lists.length + 1);
  for (const [at, { length }] of lists.entries()) offsets[at + 1] = offsets[at]! + 8 * length;
  const bytes = Buffer.alloc(offsets.at(-1)!);
  for (const [at, [dimension, value]] of lists.flat().entries()) {
    bytes.writeUInt32LE(dimension, 8 * at);
    bytes.writeFloatLE(value, 8 * at + 4);
  }
  return { dataType: DataType.SparseFloatVector, dim: null, count: lists.length, bytes, offsets };
}

test('leaves out the share of weights that is smallest, whatever their sign', async () => {
  const queries = queriesOf(
    [
      [1, 0.5],
      [2, -4],
      [3, 0.1],
      [4, 2],
    ],
    [[7, 1]],
    [],
  );
  const weigh = async (dropRatio: number) =>
    (await weighQueries(read, 102 as FieldId, queries, { bm25: null, dropRatio })).queries;
  const half = await weigh(0.5);
  assert.deepEqual([...half.offsets!], [0, 16, 24, 24]);
  const kept = queriesOf(
    [
      [2, -4],
      [4, 2],
    ],
    [[7, 1]],
    [],
  );
  assert.deepEqual(Buffer.from(half.bytes), Buffer.from(kept.bytes));
  assert.deepEqual(Buffer.from((await weigh(0.9)).bytes).readUInt32LE(0), 2);
  assert.equal(await weigh(0), queries);
});

test('words that no row has are left out, however many there are', async () => {
  const many = queriesOf(Array.from({ length: 5000 }, (_, at) => [at, 1] as const));
  const { queries, bm25 } = await weighQueries(read, 102 as FieldId, many, {
    bm25: { k1: 1.2, b: 0.75 },
    dropRatio: 0,
  });
  assert.deepEqual([...queries.offsets!], [0, 0]);
  assert.deepEqual(bm25, { k1: 1.2, b: 0.75, averageLength: 1 });
});
