import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType, type PartitionId, type SegmentId, TIMESTAMP_MAX, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import { queryShards } from './query-shards.ts';
import type { Read } from './read.ts';
import { Shard } from './shard.ts';
import { keyColumn, keysOf, randomBatch, type TestKey } from './testing/index.ts';

const share = new LoopShare(systemClock);
const SEED = 20_261_122;

for (const [name, type, keyOf] of [
  ['numbers', DataType.Int64, (n: number): TestKey => (BigInt(n) - 500n) * 0x1_0000_0001n],
  ['texts', DataType.VarChar, (n: number): TestKey => `k${String(n).padStart(5, '0')}`],
] as const)
  for (const duplicates of ['replace', 'keep'] as const)
    test(`rows of listed keys, ${name}, come in the order of their keys, duplicates: ${duplicates}`, async () => {
      // Long rows make short chunks, of which there are several.
      const schema = schemaFixture([
        fieldFixture(100, 'id', type, { isPrimaryKey: true }),
        fieldFixture(101, 'padding', DataType.FloatVector, { dim: 2048 }),
      ]);
      const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: SEED, share });
      const random = seededRandom(SEED);
      const counts = new Map<TestKey, number>();
      for (let write = 1; write <= 10; write++) {
        const keys = [...new Set(Array.from({ length: 200 }, () => keyOf(random.below(1_500))))];
        for (const key of keys) counts.set(key, duplicates === 'keep' ? (counts.get(key) ?? 0) + 1 : 1);
        const part = { partitionId: 1n as PartitionId, batch: randomBatch(schema, keys, random) };
        const record = { kind: 'insert', duplicates, parts: [part] } as const;
        (await shard.prepare(record, BigInt(write) as Timestamp))!.publish();
      }
      for (let round = 0; round < 200; round++) {
        const asked = Array.from({ length: random.below(60) }, () => keyOf(random.below(1_500)));
        const read: Read = {
          shards: [shard],
          scope: { partitionIds: null, at: TIMESTAMP_MAX },
          selection: { keys: keyColumn(asked, type), matches: null },
          share,
        };
        const before = (a: TestKey, b: TestKey): number => (a < b ? -1 : a > b ? 1 : 0);
        const all = [...new Set(asked)].sort(before);
        const wanted = all.flatMap((key) => Array.from({ length: counts.get(key) ?? 0 }, () => key));
        const offset = random.below(4);
        const limit = round % 2 === 0 ? null : random.below(10);
        const found = await queryShards(read, { limit, offset }, type);
        const shown = wanted.slice(offset, limit === null ? undefined : offset + limit);
        assert.deepEqual([...keysOf(found.keys)], shown, `seed ${SEED}, round ${round}`);
        assert.equal(found.locations.rows.length, shown.length);
        for (const [i, location] of found.locations.rows.entries()) {
          const { keys, firstLocation } = shard.chunkAt(location);
          assert.equal(keysOf(keys)[location - firstLocation], shown[i]);
        }
      }
    });
