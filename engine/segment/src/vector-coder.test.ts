import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadKernel } from '@elanus/kernel';
import {
  DataType,
  type FieldId,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import type { Read } from './read.ts';
import { searchShards, type VectorSearch } from './search-shards.ts';
import { Shard } from './shard.ts';
import { keysOf, randomBatch } from './testing/index.ts';
import { VectorCoder } from './vector-coder.ts';

const DIM = 128;
const VECTOR = 101 as FieldId;
const field = fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: DIM });
const schema = schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }), field]);
const P1 = 1n as PartitionId;

describe('codes of vectors', () => {
  it('are made behind the first searches, cover rows as they come, and change no answer', async () => {
    const share = new LoopShare(systemClock);
    const random = seededRandom(7);
    const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 7, share });
    const kernel = loadKernel();
    const coder = new VectorCoder(kernel);
    const chunks = () => shard.view({ partitionIds: null, at: TIMESTAMP_MAX }).map(({ chunk }) => chunk);
    const codedRows = () => chunks().reduce((sum, chunk) => sum + (chunk.codes(VECTOR)?.rows ?? 0), 0);
    let time = 0n;
    let rows = 0;
    const insert = async (count: number) => {
      const keys = Array.from({ length: count }, (_, i) => BigInt(rows + i));
      rows += count;
      const parts = [{ partitionId: P1, batch: randomBatch(schema, keys, random) }];
      time += 1n;
      (await shard.prepare({ kind: 'insert', duplicates: 'replace', parts }, time as Timestamp))!.publish();
    };
    const search = async (at: Timestamp, mode: 'codes' | 'plain') => {
      const read: Read = { shards: [shard], scope: { partitionIds: null, at }, selection: null, share };
      const wanted: VectorSearch = {
        field,
        metric: 'L2',
        queries: { dataType: DataType.FloatVector, dim: DIM, count: 2, bytes: queries, offsets: null },
        ...{ limit: 10, radius: null, rangeFilter: null, walk: null },
      };
      const tools = { kernel, coder: mode === 'codes' ? coder : new VectorCoder({ encode: async () => {} }) };
      const hits = await searchShards(read, wanted, tools, DataType.Int64);
      return { keys: keysOf(hits.keys), scores: hits.scores };
    };
    const queries = new Uint8Array(Float32Array.from({ length: 2 * DIM }, () => random.float() - 0.5).buffer);
    const expectSameAnswers = async (at: Timestamp) =>
      assert.deepEqual(await search(at, 'codes'), await search(at, 'plain'));

    await insert(100);
    await expectSameAnswers(TIMESTAMP_MAX);
    assert.equal(codedRows(), 0, 'few rows are not worth it');
    const early = time as Timestamp;
    for (let round = 0; round < 4; round++) {
      await insert(3000);
      while (rows - codedRows() > 600) {
        await expectSameAnswers(TIMESTAMP_MAX);
        await sleep(1);
      }
    }
    await expectSameAnswers(TIMESTAMP_MAX);
    await expectSameAnswers(early);
    assert.ok(shard.byteLength > rows * DIM * 5, 'codes count as memory');
  });
});
