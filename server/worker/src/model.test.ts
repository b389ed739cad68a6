import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import {
  type CollectionInfo,
  DataType,
  type FieldId,
  type PartitionId,
  type RowBatch,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import type { ReadTask, WriteRequest } from '@elanus/rpc';
import { type Random, seededRandom } from '@elanus/runtime';
import {
  EVERY_TYPE,
  everyTypeSchema,
  keyColumn,
  keysOf,
  randomBatch,
  type TestKey,
  valueAt,
} from '@elanus/segment/testing';
import { collectionFixture, SteppingTimestamps } from './testing/collection-fixture.ts';
import { FakeMessageLog } from './testing/fake-message-log.ts';
import { compareKeys, ModelCollection, type ModelRow, type ModelWrite } from './testing/model-collection.ts';
import { channelOf, openWorkers, readTask, type Workers } from './testing/open-workers.ts';
import { TestFiles } from './testing/test-files.ts';

function valuesOf(batch: RowBatch, row: number): unknown {
  return Object.fromEntries([...batch.columns].map(([id, column]) => [id, valueAt(column, row)]));
}

class Scenario {
  readonly collection: CollectionInfo;
  readonly model: ModelCollection;
  readonly #random: Random;
  readonly #keySpace: number;

  constructor(collection: CollectionInfo, random: Random, keySpace: number) {
    this.collection = collection;
    this.#random = random;
    this.#keySpace = keySpace;
    this.model = new ModelCollection({ keepsDuplicates: collection.duplicateKey === 'keep' });
  }

  key(): TestKey {
    const number = this.#random.below(this.#keySpace);
    return this.collection.schema.primaryKey.dataType === DataType.Int64
      ? BigInt(number) - 20n
      : `k${number}`;
  }

  partition(): PartitionId {
    const { partitions } = this.collection;
    return partitions[this.#random.below(partitions.length)]!.id;
  }

  write(): { request: WriteRequest; model: ModelWrite } {
    const luck = this.#random.float();
    if (luck < 0.25) return this.#delete();
    return this.#rows(luck < 0.6 ? 'insert' : 'upsert');
  }

  #delete(): { request: WriteRequest; model: ModelWrite } {
    const { collection } = this;
    const keys = Array.from({ length: 1 + this.#random.below(10) }, () => this.key());
    const partitionIds = this.#random.chance(0.5) ? null : [this.partition()];
    const parts = collection.channels.map((channel) => ({
      channel,
      partitionIds,
      keys: keyColumn(
        keys.filter((key) => channelOf(key, collection) === channel),
        collection.schema.primaryKey.dataType,
      ),
    }));
    return { request: { kind: 'delete', collection, parts }, model: { kind: 'delete', keys, partitionIds } };
  }

  #rows(kind: 'insert' | 'upsert'): { request: WriteRequest; model: ModelWrite } {
    const { collection } = this;
    const count = 1 + this.#random.below(this.#random.chance(0.1) ? 300 : 12);
    const partitions = this.#random.chance(0.3)
      ? collection.partitions.map(({ id }) => id)
      : [this.partition()];
    const groups = Map.groupBy(
      Array.from({ length: count }, () => ({
        key: this.key(),
        partition: partitions[this.#random.below(partitions.length)]!,
      })),
      ({ key, partition }) => `${channelOf(key, collection)} ${partition}`,
    );
    const rows: { key: TestKey; partitionId: PartitionId; values: unknown }[] = [];
    const parts = [...groups.values()].map((group) => {
      const { key, partition: partitionId } = group[0]!;
      const batch = randomBatch(
        collection.schema,
        group.map((row) => row.key),
        this.#random,
      );
      for (const [at, row] of group.entries())
        rows.push({ key: row.key, partitionId, values: valuesOf(batch, at) });
      return { channel: channelOf(key, collection), partitionId, batch };
    });
    return { request: { kind, collection, parts }, model: { kind, rows } };
  }
}

const ALL_FIELDS = Object.values(EVERY_TYPE) as readonly number[] as readonly FieldId[];

async function assertSameRows(
  { query }: Workers,
  { collection, model }: Scenario,
  changes: Partial<ReadTask>,
  context: string,
): Promise<void> {
  const task = readTask(collection, changes);
  const expected = model.visible(task.snapshot ?? TIMESTAMP_MAX, task.partitionIds);
  assert.equal(await query.count(task), BigInt(expected.length), `count, ${context}`);
  const found = await query.query({ ...task, limit: null, offset: 0 });
  assert.deepEqual(
    keysOf(found.keys),
    expected.map((row) => row.key),
    `keys, ${context}`,
  );
  const columns = await query.fetch(collection.id, found.locations, ALL_FIELDS);
  const rows = expected.map((_, row) => valuesOf({ length: expected.length, columns }, row));
  if (!model.keepsDuplicates)
    assert.deepEqual(
      rows,
      expected.map((row) => row.values),
      `values, ${context}`,
    );
  else assert.deepEqual(sorted(rows), sorted(expected.map((row) => row.values)), `values, ${context}`);
  const window = await query.query({ ...task, limit: 5, offset: 3 });
  assert.deepEqual(
    keysOf(window.keys),
    expected.slice(3, 8).map((row) => row.key),
    `window, ${context}`,
  );
}

function sorted(values: readonly unknown[]): readonly string[] {
  return values
    .map((value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)))
    .sort();
}

function floats(hex: string): readonly number[] {
  const bytes = Buffer.from(hex, 'hex');
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** Ties by key; whole numbers, so scores are exact. */
function naiveTop(
  rows: readonly ModelRow[],
  query: readonly number[],
  k: number,
): { key: TestKey; score: number }[] {
  return rows
    .map(({ key, values }) => {
      const vector = floats((values as Record<number, string>)[EVERY_TYPE.floatVector]!);
      return { key, score: vector.reduce((sum, x, i) => sum + (x - query[i]!) ** 2, 0) };
    })
    .sort((a, b) => a.score - b.score || compareKeys(a.key, b.key))
    .slice(0, k);
}

async function assertSameHits(
  { query }: Workers,
  { collection, model }: Scenario,
  changes: Partial<ReadTask>,
  random: Random,
  context: string,
): Promise<void> {
  const task = readTask(collection, changes);
  const count = 2;
  const vectors = Float32Array.from({ length: 8 * count }, () => random.below(5) - 2);
  const field = collection.schema.fields.find(({ name }) => name === 'floatVector')!;
  const bytes = new Uint8Array(vectors.buffer);
  const hits = await query.search({
    ...task,
    field,
    metric: 'L2',
    queries: { dataType: DataType.FloatVector, dim: 8, count, bytes, offsets: null },
    limit: 7,
    radius: null,
    rangeFilter: null,
    walk: null,
  });
  const rows = model.visible(task.snapshot ?? TIMESTAMP_MAX, task.partitionIds);
  const keys = keysOf(hits.keys);
  let at = 0;
  for (let q = 0; q < count; q++) {
    const expected = naiveTop(rows, [...vectors.subarray(8 * q, 8 * q + 8)], 7);
    const found = Array.from({ length: hits.counts[q]! }, () => ({
      key: keys[at]!,
      score: hits.scores[at++]!,
    }));
    assert.deepEqual(found, expected, `hits of query ${q}, ${context}`);
  }
}

const CASES = [
  { keyType: DataType.Int64, shards: 1, partitions: 1, duplicateKey: 'replace' },
  { keyType: DataType.Int64, shards: 4, partitions: 3, duplicateKey: 'replace' },
  { keyType: DataType.VarChar, shards: 2, partitions: 2, duplicateKey: 'replace' },
  { keyType: DataType.VarChar, shards: 3, partitions: 2, duplicateKey: 'keep' },
  { keyType: DataType.Int64, shards: 2, partitions: 2, duplicateKey: 'keep' },
] as const;

describe('the workers and a plain list of rows', () => {
  for (const [number, options] of CASES.entries()) {
    const seed = 4200 + number;
    it(`agree on ${JSON.stringify(options)}, also after flushes, restarts and two replays in a row`, async () => {
      const random = seededRandom(seed);
      const log = new FakeMessageLog({
        fails: () => random.chance(0.1),
        delay: async () => {
          for (let turns = random.below(4); turns > 0; turns--) await turn();
        },
      });
      const lasting = { timestamps: new SteppingTimestamps(), files: new TestFiles() };
      let workers = openWorkers(log, random, lasting);
      const collection = collectionFixture({ schema: everyTypeSchema(options.keyType), ...options });
      await workers.streaming.openCollection(collection);
      const scenario = new Scenario(collection, random, 60);
      const times: Timestamp[] = [];
      for (let round = 0; round < 40; round++) {
        const context = `seed ${seed}, round ${round}`;
        if (random.chance(0.15)) {
          await workers.streaming.close();
          workers = openWorkers(log, random, lasting);
          await workers.streaming.recover([collection]);
        }
        const flushing = random.chance(0.4) ? workers.streaming.flush(collection.id) : null;
        const writes = Array.from({ length: 1 + random.below(4) }, () => scenario.write());
        const outcomes = await Promise.allSettled(
          writes.map(({ request }) => workers.streaming.write(request)),
        );
        for (const [at, outcome] of outcomes.entries()) {
          if (outcome.status === 'rejected') {
            assert.match(String(outcome.reason), /append of/, context);
            continue;
          }
          const { timestamp, replacedRows } = outcome.value;
          times.push(timestamp);
          assert.equal(
            replacedRows,
            scenario.model.apply(timestamp, writes[at]!.model),
            `replaced, ${context}`,
          );
        }
        await flushing;
        await assertSameRows(workers, scenario, {}, context);
        await assertSameRows(workers, scenario, { partitionIds: [scenario.partition()] }, context);
        await assertSameHits(workers, scenario, {}, random, context);
        const snapshot = times[random.below(times.length)] ?? null;
        await assertSameRows(workers, scenario, { snapshot }, `snapshot ${snapshot}, ${context}`);
        await assertSameHits(
          workers,
          scenario,
          { snapshot, partitionIds: [scenario.partition()] },
          random,
          context,
        );
      }
      await workers.streaming.close();
      assert.ok(lasting.files.catalog.segments.size > 5, 'rows went to files');
      for (const repetitions of [1, 2]) {
        log.repetitions = repetitions;
        const again = openWorkers(log, random, lasting);
        const report = await again.streaming.recover([collection]);
        assert.equal(report.newestTimestamp, times.at(-1));
        assert.equal(report.skippedRecords, 0);
        await assertSameRows(again, scenario, {}, `replay, seed ${seed}`);
        await assertSameRows(again, scenario, { snapshot: times[5]! }, `snapshot after replay, seed ${seed}`);
        await assertSameHits(again, scenario, {}, random, `replay, seed ${seed}`);
      }
    });
  }
});
