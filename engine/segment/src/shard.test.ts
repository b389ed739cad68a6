import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadKernel } from '@elanus/kernel';
import {
  type Column,
  DataType,
  type FieldId,
  type MetricType,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
  type VectorType,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, type Random, seededRandom, systemClock } from '@elanus/runtime';
import { fetchColumns } from './fetch-columns.ts';
import { countShards, queryShards } from './query-shards.ts';
import type { Read } from './read.ts';
import { searchShards } from './search-shards.ts';
import { Shard } from './shard.ts';
import {
  EVERY_TYPE,
  everyTypeSchema,
  keyColumn,
  keysOf,
  randomBatch,
  type TestKey,
  valueAt,
} from './testing/index.ts';
import { VectorCoder } from './vector-coder.ts';

const P1 = 1n as PartitionId;
const P2 = 2n as PartitionId;
const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int32),
]);
const share = new LoopShare(systemClock);

class Fixture {
  readonly shard: Shard;
  readonly #random: Random;
  readonly #schema: typeof schema;
  #time = 0n;

  constructor(ownSchema = schema, seed = 1) {
    this.#schema = ownSchema;
    this.#random = seededRandom(seed);
    this.shard = new Shard({ segmentId: 1n as SegmentId, schema: ownSchema, seed, share });
  }

  async insert(keys: readonly TestKey[], partitionId = P1): Promise<Timestamp> {
    const batch = randomBatch(this.#schema, keys, this.#random);
    return await this.#write({ kind: 'insert', duplicates: 'replace', parts: [{ partitionId, batch }] });
  }

  async delete(keys: readonly TestKey[]): Promise<Timestamp> {
    const part = { partitionIds: null, keys: keyColumn(keys, this.#schema.primaryKey.dataType) };
    return await this.#write({ kind: 'delete', duplicates: 'replace', parts: [part] });
  }

  async #write(record: Parameters<Shard['prepare']>[0]): Promise<Timestamp> {
    this.#time += 10n;
    (await this.shard.prepare(record, this.#time as Timestamp))!.publish();
    return this.#time as Timestamp;
  }

  read(changes: Partial<Read> = {}): Read {
    const scope = { partitionIds: null, at: TIMESTAMP_MAX };
    return { shards: [this.shard], scope, selection: null, share, ...changes };
  }

  async keys(changes: Partial<Read> = {}): Promise<readonly TestKey[]> {
    const { dataType } = this.#schema.primaryKey;
    const window = { limit: null, offset: 0 };
    return keysOf((await queryShards(this.read(changes), window, dataType as typeof DataType.Int64)).keys);
  }
}

function range(from: number, to: number): bigint[] {
  return Array.from({ length: to - from }, (_, i) => BigInt(from + i));
}

function shuffled(keys: readonly bigint[], random: Random): bigint[] {
  return keys
    .map((key) => ({ key, at: random.float() }))
    .sort((a, b) => a.at - b.at)
    .map(({ key }) => key);
}

describe('a shard', () => {
  it('answers in key order over many chunks, whole or in a window', async () => {
    const fixture = new Fixture();
    await fixture.insert(shuffled(range(-30_000, 30_000), seededRandom(9)));
    assert.deepEqual(await fixture.keys(), range(-30_000, 30_000));
    const window = await queryShards(fixture.read(), { limit: 10, offset: 29_995 }, DataType.Int64);
    assert.deepEqual(keysOf(window.keys), range(-5, 5));
    const far = await queryShards(fixture.read(), { limit: 40_000, offset: 59_990 }, DataType.Int64);
    assert.deepEqual(keysOf(far.keys), range(29_990, 30_000));
    assert.equal(await countShards(fixture.read()), 60_000);
  });

  it('ignores a write that it has applied already', async () => {
    const { shard } = new Fixture();
    const batch = randomBatch(schema, [1n], seededRandom(1));
    const record = { kind: 'insert', duplicates: 'keep', parts: [{ partitionId: P1, batch }] } as const;
    (await shard.prepare(record, 5n as Timestamp))!.publish();
    assert.equal(await shard.prepare(record, 5n as Timestamp), null);
    assert.equal(await shard.prepare(record, 4n as Timestamp), null);
    assert.deepEqual(shard.liveRows(), new Map([[P1, 1]]));
  });

  it('shows nothing of a write before it is published', async () => {
    const fixture = new Fixture();
    await fixture.insert(range(0, 100));
    const upsert = { partitionId: P2, batch: randomBatch(schema, range(50, 150), seededRandom(1)) };
    const record = { kind: 'upsert', duplicates: 'replace', parts: [upsert] } as const;
    const prepared = await fixture.shard.prepare(record, 1000n as Timestamp);
    const byKey = { selection: { keys: keyColumn([49n, 50n, 149n], DataType.Int64), matches: null } };
    assert.deepEqual(await fixture.keys(), range(0, 100));
    assert.deepEqual(await fixture.keys(byKey), [49n, 50n]);
    assert.deepEqual(prepared!.publish(), { insertedRows: 100, hiddenRows: 50 });
    assert.deepEqual(await fixture.keys(), range(0, 150));
    assert.deepEqual(await fixture.keys(byKey), [49n, 50n, 149n]);
    const before = { scope: { partitionIds: null, at: 999n as Timestamp } };
    assert.deepEqual(await fixture.keys(before), range(0, 100));
    assert.deepEqual(await fixture.keys({ ...byKey, ...before }), [49n, 50n]);
  });

  it('keeps what a reader holds as it was while rows are deleted', async () => {
    const fixture = new Fixture();
    await fixture.insert(range(0, 100));
    await fixture.delete([5n]);
    const [view] = fixture.shard.view({ partitionIds: null, at: TIMESTAMP_MAX });
    const before = [...view!.live!];
    await fixture.delete([6n, 7n]);
    assert.deepEqual([...view!.live!], before);
  });

  it('frees a dropped partition whole: rows, keys and memory', async () => {
    const fixture = new Fixture();
    const empty = fixture.shard.byteLength;
    await fixture.insert(range(0, 20_000), P1);
    await fixture.insert(range(10_000, 30_000), P2);
    await fixture.shard.dropPartitions([P2]);
    assert.deepEqual(await fixture.keys(), range(0, 10_000));
    assert.equal(fixture.shard.has(keyColumn([10_000n], DataType.Int64), 0), false);
    await fixture.shard.dropPartitions([P1]);
    assert.deepEqual(await fixture.keys(), []);
    const tables = fixture.shard.byteLength - empty;
    assert.ok(tables < 30_000 * 36, `${tables} bytes are left`);
    await fixture.insert(range(0, 10), P1);
    assert.deepEqual(await fixture.keys(), range(0, 10));
  });

  it('hides all rows of several dropped partitions before it gives up the thread', async () => {
    const fixture = new Fixture();
    await fixture.insert(range(0, 20_000), P1);
    await fixture.insert(range(20_000, 40_000), P2);
    const dropping = fixture.shard.dropPartitions([P1, P2]);
    assert.deepEqual(fixture.shard.view({ partitionIds: null, at: TIMESTAMP_MAX }), []);
    await dropping;
    assert.deepEqual(await fixture.keys(), []);
  });

  it('frees chunks without a living row once their past is forgotten, and refuses to read that past', async () => {
    const fixture = new Fixture();
    await fixture.insert(range(0, 20_000));
    const whole = fixture.shard.byteLength;
    const deleted = await fixture.delete(range(0, 16_384));
    const reinserted = await fixture.insert(range(0, 10));
    const before = { scope: { partitionIds: null, at: (deleted - 1n) as Timestamp } };
    assert.equal(fixture.shard.hasHistoryBefore(deleted), false);
    assert.equal((await fixture.keys(before)).length, 20_000);
    await fixture.shard.forgetHistory((deleted + 1n) as Timestamp);
    assert.ok(fixture.shard.byteLength < whole);
    await assert.rejects(fixture.keys(before), /no longer kept/);
    const expected = [...range(0, 10), ...range(16_384, 20_000)];
    assert.deepEqual(await fixture.keys(), expected);
    const at = { scope: { partitionIds: null, at: (reinserted - 1n) as Timestamp } };
    assert.deepEqual(await fixture.keys(at), range(16_384, 20_000));
    const byKey = { selection: { keys: keyColumn([3n, 11n, 16_385n], DataType.Int64), matches: null } };
    assert.deepEqual(await fixture.keys(byKey), [3n, 16_385n]);
  });

  it('stays small while it holds little', async () => {
    const fixture = new Fixture(everyTypeSchema(DataType.VarChar));
    await fixture.insert(['a', 'b']);
    assert.ok(fixture.shard.byteLength < 32 * 1024, `${fixture.shard.byteLength} bytes`);
  });
});

describe('a search of a shard', () => {
  const kernel = loadKernel();
  const tools = { kernel, coder: new VectorCoder(kernel) };
  const every = everyTypeSchema(DataType.Int64);
  const CASES: readonly { field: keyof typeof EVERY_TYPE; metrics: readonly MetricType[] }[] = [
    { field: 'floatVector', metrics: ['L2', 'IP', 'COSINE'] },
    { field: 'halfVector', metrics: ['L2'] },
    { field: 'brainVector', metrics: ['COSINE'] },
    { field: 'byteVector', metrics: ['L2', 'COSINE'] },
    { field: 'binaryVector', metrics: ['HAMMING', 'JACCARD'] },
    { field: 'sparseVector', metrics: ['IP'] },
  ];

  for (const { field: name, metrics } of CASES) {
    for (const metric of metrics) {
      it(`of ${name} by ${metric} gives what one block of the same rows gives, without nulls`, async () => {
        const seed = 77;
        const random = seededRandom(seed);
        const fixture = new Fixture(every, seed);
        for (let from = 0; from < 9_000; from += 3_000) await fixture.insert(range(from, from + 3_000));
        await fixture.delete(range(100, 4_000));
        const field = every.fields.find((other) => other.id === EVERY_TYPE[name])!;
        const queries = randomBatch(every, [1n, 2n, 3n], random).columns.get(field.id)!;
        const search = {
          field,
          metric,
          queries: {
            dataType: field.dataType as VectorType,
            dim: field.dim,
            count: 3,
            bytes: (queries as Extract<Column, { bytes: Uint8Array }>).bytes,
            offsets: 'offsets' in queries ? queries.offsets : null,
          },
          limit: 20,
          radius: null,
          rangeFilter: null,
          walk: null,
        };
        const rows = await queryShards(fixture.read(), { limit: null, offset: 0 }, DataType.Int64);
        const source = { shards: [fixture.shard], schema: every, share };
        const column = (await fetchColumns(source, rows.locations, [field.id as FieldId])).get(field.id)!;
        const allowed = new Uint8Array(Math.ceil(column.length / 8));
        for (let row = 0; row < column.length; row++)
          if (valueAt(column, row) !== null) allowed[row >> 3]! |= 1 << (row & 7);
        const expected = await kernel.exactSearch({
          dataType: search.queries.dataType,
          metric,
          dim: field.dim ?? 0,
          queries: search.queries.bytes,
          queryOffsets: search.queries.offsets,
          queryCount: 3,
          k: 20,
          blocks: [
            {
              bytes: (column as Extract<Column, { bytes: Uint8Array }>).bytes,
              offsets: 'offsets' in column ? column.offsets : null,
              rows: column.length,
              allowed,
              inverseNorms: null,
              keys: { type: 'int64', values: (rows.keys as { values: BigInt64Array }).values },
            },
          ],
          radius: null,
          rangeFilter: null,
        });
        for (const round of ['first', 'with known lengths']) {
          const hits = await searchShards(fixture.read(), search, tools, DataType.Int64);
          assert.deepEqual([...hits.counts], [...expected.counts], round);
          const keys = keysOf(hits.keys);
          let at = 0;
          for (let q = 0; q < 3; q++) {
            for (let i = 0; i < hits.counts[q]!; i++, at++) {
              const row = expected.rows[q * 20 + i]!;
              assert.equal(
                keys[at],
                (rows.keys as { values: BigInt64Array }).values[row],
                `${round}, seed ${seed}`,
              );
              assert.ok(Math.abs(hits.scores[at]! - expected.scores[q * 20 + i]!) < 1e-5);
            }
          }
        }
      });
    }
  }
});
