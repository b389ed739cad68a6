import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { compilePredicate, planFilter } from '@elanus/expr';
import { loadKernel } from '@elanus/kernel';
import {
  DataType,
  type MetricType,
  metricOfVectors,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { SearchHits } from '@elanus/rpc';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import type { Read } from '../read.ts';
import { searchShards, type VectorSearch } from '../search-shards.ts';
import { Shard } from '../shard.ts';
import { keyColumn, randomBatch } from '../testing/index.ts';
import { VectorCoder } from '../vector-coder.ts';
import { presentRows, vectorsOf } from './piece-vectors.ts';

const DIM = 16;
const ROWS = 6_000;
const METRIC = 'MAX_SIM_IP';
const field = fieldFixture(101, 'spots', DataType.ArrayOfVector, {
  elementType: DataType.FloatVector,
  dim: DIM,
  nullable: true,
});
const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  field,
  fieldFixture(102, 'number', DataType.Int32),
]);
const kernel = loadKernel();
const tools = { kernel, coder: new VectorCoder(kernel) };
const share = new LoopShare(systemClock);
const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 1, share });
const random = seededRandom(8);
const QUERY_LENGTHS = [1, 3, 5, 2];

type Found = Omit<SearchHits, 'readTimestamp'>;

function vectors(count: number): Uint8Array {
  const values = Float32Array.from({ length: count * DIM }, () => random.float() * 4 - 2);
  return new Uint8Array(values.buffer);
}

function listSearch(walk: VectorSearch['walk']): VectorSearch {
  const lists = new Uint32Array(QUERY_LENGTHS.length + 1);
  for (const [at, length] of QUERY_LENGTHS.entries()) lists[at + 1] = lists[at]! + length;
  const queries = {
    dataType: DataType.FloatVector,
    dim: DIM,
    count: QUERY_LENGTHS.length,
    bytes: queryBytes,
    offsets: null,
    lists,
  } as const;
  return { field, metric: METRIC, queries, limit: 10, radius: null, rangeFilter: null, walk };
}
const queryBytes = vectors(QUERY_LENGTHS.reduce((sum, length) => sum + length, 0));
const WALK = { ef: 64, refineK: 1, listRatio: 12 };

function readOf(filter: string | null): Read {
  const predicate = filter === null ? null : planFilter(filter, schema)!;
  const selection =
    predicate === null ? null : { keys: null, matches: compilePredicate(predicate), predicate };
  return { shards: [shard], scope: { partitionIds: null, at: TIMESTAMP_MAX }, selection, share };
}

const search = (filter: string | null, asked: VectorSearch): Promise<Found> =>
  searchShards(readOf(filter), asked, tools, DataType.Int64);

/** The share of hits whose score is as good as the last of the exact ones. */
function recallOf(found: Found, exact: Found): number {
  let right = 0;
  let start = 0;
  for (const count of exact.counts) {
    const worst = exact.scores[start + count - 1]!;
    right += found.scores.subarray(start, start + count).filter((score) => score >= worst).length;
    start += count;
  }
  return right / exact.scores.length;
}

describe('searches in lists, through an index over their vectors', () => {
  before(async () => {
    const write = async (parts: readonly object[], time: bigint) => {
      const record = { kind: 'upsert', duplicates: 'replace', parts } as never;
      (await shard.prepare(record, time as Timestamp))!.publish();
    };
    const keys = Array.from({ length: ROWS }, (_, row) => BigInt(row));
    for (let first = 0; first < ROWS; first += 1_000) {
      const batch = randomBatch(schema, keys.slice(first, first + 1_000), random);
      await write([{ partitionId: 1n as PartitionId, batch }], BigInt(first + 1));
    }
    const deleted = keys.filter((key) => key % 10n === 3n);
    await write([{ partitionIds: null, keys: keyColumn(deleted, DataType.Int64) }], BigInt(ROWS + 1));
    shard.vectorIndexes.open(field);
    const [index] = shard.vectorIndexes.of(field.id);
    const planned = index!.nextPiece()!;
    const spec = { type: 'HNSW', m: 12, efConstruction: 80, layout: 'compact' } as const;
    const metric = metricOfVectors(METRIC as MetricType);
    const built = await kernel.buildIndex({ ...vectorsOf(planned), metric, spec, threads: 1, seed: 1 });
    assert.ok(built.rows > planned.rows, 'rows have more than one vector on the average');
    index!.adopt(planned, built, await presentRows(planned, share));
    // Rows behind the index are compared one by one.
    const batch = randomBatch(schema, [90_001n, 90_002n, 90_003n], random);
    await write([{ partitionId: 1n as PartitionId, batch }], BigInt(ROWS + 2));
  });
  after(() => shard.vectorIndexes.closeAll());

  for (const filter of [null, 'number < 60', 'id > 2000 and number != 7'])
    it(`find nearly all that comparing with every row finds, with its scores: ${filter ?? 'no filter'}`, async () => {
      const found = await search(filter, listSearch(WALK));
      const exact = await search(filter, listSearch(null));
      assert.deepEqual(found.counts, exact.counts);
      const recall = recallOf(found, exact);
      // Vectors without any structure are the hardest.
      assert.ok(recall >= 0.8, `recall ${recall}`);
      const scoreOf = new Map<string, number>();
      for (const { keys, scores, counts } of [exact, found]) {
        let at = 0;
        for (const [query, count] of counts.entries())
          for (const end = at + count; at < end; at++) {
            const name = `${query}/${(keys as { readonly values: BigInt64Array }).values[at]}`;
            assert.equal(scoreOf.get(name) ?? scores[at], scores[at], name);
            scoreOf.set(name, scores[at]!);
          }
      }
    });

  it('find more when each vector finds more', async () => {
    const exact = await search(null, listSearch(null));
    const recalls = [];
    for (const listRatio of [0, 1, 4, 12])
      recalls.push(recallOf(await search(null, listSearch({ ...WALK, listRatio })), exact));
    assert.deepEqual(recalls, recalls.toSorted(), recalls.join(', '));
    assert.ok(recalls[0]! < recalls[3]!, recalls.join(', '));
  });

  it('compare every row where so few are left, or so many would be looked at, that it is sooner', async () => {
    const few = 'id < 500';
    assert.deepEqual(await search(few, listSearch(WALK)), await search(few, listSearch(null)));
    const many = { ...listSearch({ ...WALK, listRatio: 1_000 }) };
    assert.deepEqual(await search(null, many), await search(null, listSearch(null)));
  });

  const elementSearch = (walk: VectorSearch['walk'], limit = 20): VectorSearch => {
    const { lists, ...queries } = listSearch(null).queries;
    return { ...listSearch(walk), metric: 'IP', queries: { ...queries, count: lists!.at(-1)! }, limit };
  };
  const namesOf = ({ keys, elements, scores, counts }: Found): ReadonlyMap<string, number> => {
    const { values } = keys as { readonly values: BigInt64Array };
    const query = [...counts].flatMap((count, at) => new Array<number>(count).fill(at));
    return new Map(query.map((number, at) => [`${number}/${values[at]}[${elements![at]}]`, scores[at]!]));
  };

  for (const filter of [null, 'number < 60', 'id > 2000 and number != 7'])
    it(`find nearly all single vectors that comparing with each finds, by row and place: ${filter ?? 'no filter'}`, async () => {
      const found = await search(filter, elementSearch({ ef: 400, refineK: 1 }));
      const exact = await search(filter, elementSearch(null));
      assert.deepEqual(found.counts, exact.counts);
      const recall = recallOf(found, exact);
      assert.ok(recall >= 0.9, `recall ${recall}`);
      const [some, all] = [namesOf(found), namesOf(exact)];
      assert.equal(some.size, found.scores.length, 'no vector is found twice');
      for (const [name, score] of some) assert.equal(all.get(name) ?? score, score, name);
      assert.deepEqual([...some.keys()].filter((name) => all.has(name)).length >= 0.85 * all.size, true);
      const first = await search(filter, elementSearch({ ef: 400, refineK: 1 }, 5));
      for (const name of namesOf(first).keys()) assert.ok(some.has(name), `${name} whatever the limit`);
    });

  it('find single vectors by comparing with each where few rows are left', async () => {
    const few = 'id < 500';
    assert.deepEqual(await search(few, elementSearch(WALK)), await search(few, elementSearch(null)));
  });
});
