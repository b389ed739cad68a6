import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type IndexSearch, loadKernel, type VectorIndex } from '@elanus/kernel';
import { DataType, type FieldId, type PartitionId, type SegmentId, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import type { Read } from '../read.ts';
import { searchShards, type VectorSearch } from '../search-shards.ts';
import { Shard } from '../shard.ts';
import { keysOf, randomBatch } from '../testing/random-rows.ts';
import { VectorCoder } from '../vector-coder.ts';
import { presentRows, vectorsOf } from './piece-vectors.ts';

const DIM = 8;
const ROWS = 24_000;
const PAGE = 40;
const VECTOR = 101 as FieldId;
const PARTITION = 1n as bigint as PartitionId;
const field = fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: DIM, nullable: true });
const schema = schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }), field]);
const kernel = loadKernel();
const share = new LoopShare(systemClock);
const coder = new VectorCoder(kernel);

/** Beside what a worker has: pages walk however few rows there are. */
const walking = { kernel, coder, pageScanBytesMax: 0 };
const scanning = { kernel, coder };

describe('pages of an iterator through an index', () => {
  const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 5, share });
  const random = seededRandom(5);
  /** What the index was asked for. */
  const asked: IndexSearch[] = [];

  before(async () => {
    shard.vectorIndexes.open(field, { rowsMin: 64 });
    for (let first = 0; first < ROWS; first += 4000) {
      const keys = Array.from({ length: 4000 }, (_, i) => BigInt(first + i));
      const parts = [{ partitionId: PARTITION, batch: randomBatch(schema, keys, random) }];
      const record = { kind: 'upsert', duplicates: 'replace', parts } as const;
      (await shard.prepare(record, BigInt(first + 1) as Timestamp))!.publish();
    }
    const [index] = shard.vectorIndexes.of(VECTOR);
    const planned = index!.nextPiece()!;
    const spec = { type: 'HNSW', m: 16, efConstruction: 100, layout: 'auto' } as const;
    const built = await kernel.buildIndex({
      ...vectorsOf(planned),
      metric: 'L2',
      spec,
      threads: 1,
      seed: 1,
    });
    index!.adopt(planned, watched(built, asked), await presentRows(planned, share));
  });

  const search = (options: Partial<VectorSearch>): VectorSearch => {
    const values = Float32Array.from({ length: DIM }, () => random.below(1000) / 1000);
    return {
      field,
      metric: 'L2',
      queries: {
        dataType: DataType.FloatVector,
        dim: DIM,
        count: 1,
        bytes: new Uint8Array(values.buffer),
        offsets: null,
      },
      limit: PAGE,
      radius: null,
      rangeFilter: null,
      walk: { ef: 16, refineK: 1, answer: 'page' },
      ...options,
    };
  };

  const read = (selection: Read['selection'] = null): Read => {
    const scope = { partitionIds: null, at: 1_000_000n as Timestamp };
    return { shards: [shard], scope, selection, share };
  };

  it('have no row twice and none behind the bound before them, and lack hardly any', async () => {
    for (let query = 0; query < 5; query++) {
      const first = search({});
      const keys: unknown[] = [];
      let bound: number | null = null;
      asked.length = 0;
      for (let page = 0; page < 8; page++) {
        const { scores, keys: found } = await searchShards(
          read(),
          { ...first, rangeFilter: bound },
          walking,
          DataType.Int64,
        );
        assert.ok(scores.every((score) => bound === null || score >= bound));
        keys.push(...keysOf(found));
        bound = scores.at(-1)! + 1e-6;
      }
      assert.ok(asked.length >= 1, 'the first page at least walks');
      assert.ok(asked.length < 8, 'a page far behind is scanned');
      assert.equal(new Set(keys).size, keys.length);
      const all = { ...first, walk: null, limit: keys.length };
      const wanted = keysOf((await searchShards(read(), all, scanning, DataType.Int64)).keys);
      const missed = wanted.filter((key) => !keys.includes(key));
      assert.ok(missed.length <= 0.01 * wanted.length, `${missed.length} of ${wanted.length} missed`);
    }
  });

  it('keep to the filter and to the radius', async () => {
    const matches = (_: unknown, start: number, end: number, out: Uint8Array) => {
      for (let row = start; row < end; row++) out[row - start] = row % 3 === 0 ? 0 : 1;
    };
    const first = search({});
    const scan = { ...first, walk: null, limit: 100 };
    const { scores, keys } = await searchShards(
      read({ keys: null, matches }),
      scan,
      scanning,
      DataType.Int64,
    );
    const ring = { ...first, rangeFilter: scores[20]!, radius: scores[60]! };
    asked.length = 0;
    const page = await searchShards(read({ keys: null, matches }), ring, walking, DataType.Int64);
    assert.equal(asked.length, 1);
    const found = keysOf(page.keys);
    const wanted = keysOf(keys).slice(20, 60);
    assert.ok(found.every((key) => wanted.includes(key)));
    assert.ok(found.length >= 38, `${found.length} of 40`);
  });

  it('are scanned, and lack nothing, where that is quick', async () => {
    const first = search({});
    asked.length = 0;
    const { keys } = await searchShards(read(), first, scanning, DataType.Int64);
    const all = await searchShards(read(), { ...first, walk: null }, scanning, DataType.Int64);
    assert.deepEqual(keys, all.keys);
    assert.equal(asked.length, 0);
  });
});

/** The index, and what it is asked for. */
function watched(index: VectorIndex, asked: IndexSearch[]): VectorIndex {
  const told = <Result>(search: (asked: IndexSearch) => Result) => {
    return (wanted: IndexSearch): Result => {
      asked.push(wanted);
      return search.call(index, wanted);
    };
  };
  return new Proxy(index, {
    get(target, name) {
      if (name === 'search') return told(target.search);
      if (name === 'searchSync') return told(target.searchSync);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
