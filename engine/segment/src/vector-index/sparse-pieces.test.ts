import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadKernel } from '@elanus/kernel';
import { DataType, type FieldId, type PartitionId, type SegmentId, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import type { Read } from '../read.ts';
import { searchShards, type VectorSearch } from '../search-shards.ts';
import { Shard } from '../shard.ts';
import { keyColumn, keysOf, randomBatch } from '../testing/random-rows.ts';
import { VectorCoder } from '../vector-coder.ts';
import { presentRows, sparseVectorsOf } from './piece-vectors.ts';

const VECTOR = 101 as FieldId;
const field = fieldFixture(VECTOR, 'vector', DataType.SparseFloatVector, { nullable: true });
const schema = schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }), field]);
const PARTITION = 1n as bigint as PartitionId;
const LIMIT = 30;
const kernel = loadKernel();
const tools = { kernel, coder: new VectorCoder(kernel) };
const share = new LoopShare(systemClock);

/** Two queries whose weights let few scores be equal. */
const QUERIES: VectorSearch['queries'] = (() => {
  const weights = [
    [0, 1.37],
    [3, -0.61],
    [5, 0.113],
    [11, 2.71],
    [7, 0.71],
    [9, -1.9],
  ] as const;
  const bytes = new Uint8Array(8 * weights.length);
  const view = new DataView(bytes.buffer);
  for (const [at, [dimension, weight]] of weights.entries()) {
    view.setUint32(8 * at, dimension, true);
    view.setFloat32(8 * at + 4, weight, true);
  }
  return {
    dataType: DataType.SparseFloatVector,
    dim: null,
    count: 2,
    bytes,
    offsets: Uint32Array.of(0, 32, 48),
  };
})();

const search: VectorSearch = {
  field,
  metric: 'IP',
  queries: QUERIES,
  limit: LIMIT,
  radius: null,
  rangeFilter: null,
  walk: null,
};

describe('pieces of sparse vectors', () => {
  it('find what a scan finds, beside rows that have just come, after deletions and under filters', async () => {
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(seed);
      const write = async (shard: Shard, at: bigint, record: Parameters<Shard['prepare']>[0]) =>
        (await shard.prepare(record, at as Timestamp))!.publish();
      const [indexed, scanned] = [0, 1].map(
        () => new Shard({ segmentId: 1n as SegmentId, schema, seed, share }),
      ) as [Shard, Shard];
      indexed.vectorIndexes.open(field, { rowsMin: 64 });
      let time = 0n;
      for (let round = 0; round < 8; round++) {
        const keys = Array.from({ length: 50 + random.below(900) }, () => BigInt(random.below(6000)));
        const batch = randomBatch(schema, [...new Set(keys)], random);
        const deleted = keyColumn(
          Array.from({ length: 60 }, () => BigInt(random.below(6000))),
          DataType.Int64,
        );
        time += 10n;
        for (const shard of [indexed, scanned]) {
          const parts = [{ partitionId: PARTITION, batch }];
          await write(shard, time, { kind: 'upsert', duplicates: 'replace', parts });
          const gone = [{ partitionIds: null, keys: deleted }];
          await write(shard, time + 1n, { kind: 'delete', duplicates: 'replace', parts: gone });
        }
        if (random.chance(0.7)) await build(indexed);
        const threshold = random.below(1000);
        const matches = (_: unknown, start: number, end: number, out: Uint8Array) => {
          for (let row = start; row < end; row++) out[row - start] = (row * 7919) % 1000 < threshold ? 1 : 0;
        };
        for (const selection of [null, { keys: null, matches }] as Read['selection'][]) {
          for (const range of [{}, { radius: 0.5, rangeFilter: 3 }]) {
            const asked = { ...search, ...range };
            const wanted = await hitsOf(scanned, selection, asked);
            assert.deepEqual(await hitsOf(indexed, selection, asked), wanted, `seed ${seed}, round ${round}`);
          }
        }
      }
      assert.ok(indexed.vectorIndexes.of(VECTOR)[0]!.indexedRows > 500, 'there were pieces');
    }
  });
});

async function build(shard: Shard): Promise<void> {
  for (const index of shard.vectorIndexes.of(VECTOR)) {
    for (let planned = index.nextPiece(); planned !== null; planned = index.nextPiece()) {
      const built = await kernel.buildIndex({
        ...sparseVectorsOf(planned),
        metric: 'IP',
        spec: { type: 'SPARSE', bm25: null },
        threads: 1,
      });
      index.adopt(planned, built, await presentRows(planned, share));
    }
  }
}

/** Scores, and the keys of those better than the last: of equal ones at the end of a list either may be there. */
async function hitsOf(shard: Shard, selection: Read['selection'], asked: VectorSearch): Promise<unknown> {
  const scope = { partitionIds: null, at: 1_000_000n as Timestamp };
  const read: Read = { shards: [shard], scope, selection, share };
  const { counts, scores, keys } = await searchShards(read, asked, tools, DataType.Int64);
  const list = keysOf(keys);
  let at = 0;
  return Array.from(counts, (count) => {
    const own = [...scores.subarray(at, at + count)];
    const certain = list.slice(at, at + count).filter((_, i) => count < LIMIT || own[i] !== own[count - 1]);
    at += count;
    return { own, certain };
  });
}
