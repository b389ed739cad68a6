import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { compilePredicate, planFilter } from '@elanus/expr';
import {
  DataType,
  type IndexId,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, type Random, seededRandom, systemClock } from '@elanus/runtime';
import { countShards, queryShards } from '../query-shards.ts';
import type { Read } from '../read.ts';
import { buildScalarIndex } from '../scalar-index/build-scalar-index.ts';
import { blocksOf } from '../scalar-index/index-pieces.ts';
import { scalarIndexSpec } from '../scalar-index/plan-index.ts';
import { ScalarIndexes } from '../scalar-index/scalar-indexes.ts';
import { Shard } from '../shard.ts';
import { keyColumn, keysOf, randomBatch } from '../testing/index.ts';
import { openSegmentThreads } from '../threads/open-threads.ts';
import { FilterCache } from './filter-cache.ts';
import type { FilterTools } from './filter-views.ts';
import { NO_ROWS } from './scan-on-threads.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int32, { nullable: true }),
  fieldFixture(102, 'text', DataType.VarChar, { nullable: true }),
  fieldFixture(103, 'doc', DataType.JSON),
  /** Makes rows long, so that chunks are short. */
  fieldFixture(104, 'padding', DataType.FloatVector, { dim: 2048 }),
]);
const PARTITIONS = [1n, 2n] as readonly bigint[] as readonly PartitionId[];
const FILTERS = [
  'number == 7',
  'id < 700',
  'id in [5, 3500] or number > 1000',
  '2900 < id <= 3100 and number < 50',
  'not (id < 3000)',
  'number == 1000',
  'number < 3 and text like "%1"',
  'text in ["wör12", "w1", "5"]',
  'number in [1, 2] or text == "wörter99"',
  'text like "wört%" and doc["text"] like "%rter%"',
  'doc["text"] == "w7"',
  'text == "w7"',
  'not (text == "w1") and number < 20',
  'not (number < 98)',
  'number is null and id > 100',
  'number == 1 and random_sample(0.5)',
];
const share = new LoopShare(systemClock);
const threads = openSegmentThreads(2);
before(() => threads.warmUp(NO_ROWS));
after(() => threads[Symbol.asyncDispose]());

class Fixture {
  readonly shard: Shard;
  readonly indexes = new ScalarIndexes();
  readonly random: Random;
  #time = 0n;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.shard = new Shard({ segmentId: 1n as SegmentId, schema, seed, share });
  }

  get now(): Timestamp {
    return this.#time as Timestamp;
  }

  async insert(first: number, count: number): Promise<void> {
    const keys = Array.from({ length: count }, (_, i) => BigInt(first + i));
    const partitionId = PARTITIONS[this.random.below(2)]!;
    await this.#write([{ partitionId, batch: randomBatch(schema, keys, this.random) }]);
  }

  async delete(count: number, bound: number): Promise<void> {
    const keys = Array.from({ length: count }, () => BigInt(this.random.below(bound)));
    await this.#write([{ partitionIds: null, keys: keyColumn(keys, DataType.Int64) }]);
  }

  async #write(parts: Parameters<Shard['prepare']>[0]['parts']): Promise<void> {
    this.#time += 10n;
    (await this.shard.prepare(
      { kind: 'upsert', duplicates: 'replace', parts } as never,
      this.now,
    ))!.publish();
  }

  /** Builds what each index lacks of the full chunks. */
  build(): void {
    const definitions = [
      ['number', 'STL_SORT', null],
      ['text', 'INVERTED', null],
      ['doc', 'INVERTED', ['text']],
    ] as const;
    for (const [at, [name, indexType, steps]] of definitions.entries()) {
      const field = schema.fields.find((one) => one.name === name)!;
      const spec = scalarIndexSpec({ indexType, field, steps, castType: steps && 'VARCHAR', gramMin: null })!;
      const pieces = this.#open.get(at) ?? this.indexes.open(BigInt(at) as IndexId, spec, { rowsMin: 256 });
      this.#open.set(at, pieces);
      const views = this.shard.view({ partitionIds: null, at: TIMESTAMP_MAX });
      for (let planned = pieces.nextPiece(views, 'going-on'); planned !== null; ) {
        pieces.adopt(planned, buildScalarIndex(spec, blocksOf(planned, spec.place), 1));
        planned = pieces.nextPiece(views, 'going-on');
      }
    }
  }
  readonly #open = new Map<number, ReturnType<ScalarIndexes['open']>>();

  /** The keys found with these tools, and how many a count says they are. */
  async answers(text: string, at: Timestamp, filters?: FilterTools): Promise<readonly unknown[]> {
    const predicate = planFilter(text, schema)!;
    const selection = { keys: null, matches: compilePredicate(predicate), predicate };
    const read: Read = {
      shards: [this.shard],
      scope: { partitionIds: null, at },
      selection,
      share,
      ...(filters === undefined ? {} : { filters }),
    };
    const rows = await queryShards(read, { limit: null, offset: 0 }, DataType.Int64);
    return [...keysOf(rows.keys), await countShards({ ...read, selection: { ...selection } })];
  }
}

describe('filters', () => {
  for (const seed of [1, 2])
    it(`find the same rows by indexes, on threads, from the cache and one by one (seed ${seed})`, async () => {
      const fixture = new Fixture(seed);
      const cache = new FilterCache(1024 * 1024);
      const moments: Timestamp[] = [];
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 6; i++) await fixture.insert(fixture.random.below(3000), 700);
        moments.push(fixture.now);
        await fixture.delete(200, 4000);
        fixture.build();
        const tools = { cache, indexes: fixture.indexes, threads };
        for (const text of FILTERS.filter((filter) => !filter.includes('random')))
          for (const at of [TIMESTAMP_MAX, moments[0]!]) {
            const wanted = await fixture.answers(text, at);
            for (const way of [
              tools,
              { ...tools, cache: new FilterCache(0) },
              { ...tools, indexes: new ScalarIndexes(), threads: null },
              { ...tools, cache: new FilterCache(0), indexes: new ScalarIndexes(), nsHereMax: 0 },
            ])
              assert.deepEqual(await fixture.answers(text, at, way), wanted, `${text} in round ${round}`);
          }
      }
      assert.ok(cache.hits > cache.misses, `${cache.hits} hits, ${cache.misses} misses`);
      assert.ok(cache.bytes <= 1024 * 1024);
    });

  it('that draw rows by chance are never remembered', async () => {
    const fixture = new Fixture(3);
    await fixture.insert(0, 2000);
    const cache = new FilterCache(1024 * 1024);
    const tools = { cache, indexes: fixture.indexes, threads };
    for (let i = 0; i < 3; i++) await fixture.answers(FILTERS.at(-1)!, TIMESTAMP_MAX, tools);
    assert.equal(cache.hits + cache.misses, 0);
  });
});
