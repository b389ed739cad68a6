import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePredicate, planFilter } from '@elanus/expr';
import {
  type CollectionSchema,
  DataType,
  type KeyColumn,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import { pageByKey } from './page-by-key.ts';
import { queryShards } from './query-shards.ts';
import type { Read } from './read.ts';
import { keysOfRows } from './row-list.ts';
import { Shard } from './shard.ts';
import { keyColumn, keysOf, randomBatch, type TestKey } from './testing/index.ts';

const share = new LoopShare(systemClock);
const ROWS = 9_000;
type KeyType = KeyColumn['dataType'];

describe('pageByKey', () => {
  for (const keyType of [DataType.Int64, DataType.VarChar] as const) {
    const text = (row: number) =>
      keyType === DataType.Int64 ? `${keyAt(row, keyType)}` : `"${keyAt(row, keyType)}"`;
    const filters = [
      `id > ${text(0)}`,
      `id >= ${text(4_000)} and number != 3`,
      `id > ${text(8_990)}`,
      `${text(100)} < id <= ${text(700)} and number in [1, 2, 3]`,
      `id < ${text(50)} or number == 1`,
      `number > -5 and id > ${text(20)} and id > ${text(30)}`,
      `id > ${text(ROWS)}`,
    ];
    it(`finds the rows that a look at all of them finds, in their order, by keys of type ${keyType}`, async () => {
      const rows = new StoredRows(keyType);
      const upTo = Array.from({ length: ROWS }, (_, row) => row);
      await rows.insert(
        upTo.filter((row) => row % 3 !== 0),
        [1n, 2n],
      );
      const before = rows.now;
      await rows.insert(
        upTo.filter((row) => row % 3 === 0 && row > 4_400),
        [3n],
      );
      await rows.delete(upTo.filter((row) => row % 7 === 0));
      for (const filter of filters)
        for (const at of [TIMESTAMP_MAX, before])
          for (const count of [1, 7, 1_000]) {
            const read = rows.read(filter, at);
            const all = await queryShards(read, { limit: null, offset: 0 }, keyType);
            const page = await pageByKey(read, read.selection, count);
            assert.ok(page !== null, filter);
            const found = keysOf(await keysOfRows(read, page, keyType));
            assert.deepEqual(found, keysOf(all.keys).slice(0, count), `${filter}, ${count} rows`);
          }
    });
  }

  for (const keyType of [DataType.Int64, DataType.VarChar] as const)
    it(`puts rows in the order of their keys where they lie otherwise, of type ${keyType}`, async () => {
      const rows = new StoredRows(keyType);
      await rows.insert(Array.from({ length: ROWS }, (_, row) => (row * 7_919) % ROWS));
      rows.close();
      await rows.delete(Array.from({ length: 500 }, (_, row) => 11 * row));
      const after = keyType === DataType.Int64 ? '9000' : '"k0009000"';
      for (const filter of [`id > ${after}`, `id >= ${after} and number != 3`])
        for (const count of [1, 1_000]) {
          const read = rows.read(filter);
          const all = await queryShards(read, { limit: null, offset: 0 }, keyType);
          const page = await pageByKey(read, read.selection, count);
          assert.ok(page !== null, filter);
          const found = keysOf(await keysOfRows(read, page, keyType));
          assert.deepEqual(found, keysOf(all.keys).slice(0, count), `${filter}, ${count} rows`);
        }
    });

  it('leaves keys in no order among which more may come, and filters that few rows match, to others', async () => {
    const scattered = new StoredRows(DataType.Int64);
    await scattered.insert(Array.from({ length: 100 }, (_, row) => (row * 37) % 100));
    const read = scattered.read('id > 5');
    assert.equal(await pageByKey(read, read.selection, 10), null);
    scattered.close();
    const first = scattered.read('id < 50');
    assert.equal(await pageByKey(first, first.selection, 10), null, 'one page is no iterator');

    const many = new StoredRows(DataType.Int64, { padding: 1 });
    await many.insert(Array.from({ length: 80_000 }, (_, row) => row));
    const rare = many.read('id > 5 and number == 123456');
    assert.equal(await pageByKey(rare, rare.selection, 10), null);
    const { keys } = await queryShards(rare, { limit: 10, offset: 0 }, DataType.Int64);
    assert.equal(keys.length, 0);
  });
});

/** Ascending, texts by their bytes. */
function keyAt(row: number, keyType: KeyType): TestKey {
  return keyType === DataType.Int64 ? BigInt(3 * row) : `k${String(3 * row).padStart(7, '0')}`;
}

class StoredRows {
  readonly #keyType: KeyType;
  readonly #schema: CollectionSchema;
  readonly #shard: Shard;
  readonly #random = seededRandom(5);
  #time = 0n;

  /** `padding` makes rows long, so that chunks are short. */
  constructor(keyType: KeyType, { padding = 2_048 } = {}) {
    this.#keyType = keyType;
    this.#schema = schemaFixture([
      fieldFixture(100, 'id', keyType, { isPrimaryKey: true }),
      fieldFixture(101, 'number', DataType.Int32),
      fieldFixture(102, 'padding', DataType.FloatVector, { dim: padding }),
    ]);
    this.#shard = new Shard({ segmentId: 1n as SegmentId, schema: this.#schema, seed: 1, share });
  }

  /** No more rows may come into the chunks that there are. */
  close(): void {
    for (const { chunk } of this.#shard.view({ partitionIds: null, at: TIMESTAMP_MAX })) chunk.close();
  }

  get now(): Timestamp {
    return this.#time as Timestamp;
  }

  /** In batches, each into one of the partitions in turn. */
  async insert(rows: readonly number[], partitions: readonly bigint[] = [1n]): Promise<void> {
    const step = Math.ceil(rows.length / 20);
    for (let first = 0; first < rows.length; first += step) {
      const keys = rows.slice(first, first + step).map((row) => keyAt(row, this.#keyType));
      const partitionId = partitions[(first / step) % partitions.length] as PartitionId;
      await this.#write([{ partitionId, batch: randomBatch(this.#schema, keys, this.#random) }]);
    }
  }

  async delete(rows: readonly number[]): Promise<void> {
    const keys = rows.map((row) => keyAt(row, this.#keyType));
    await this.#write([{ partitionIds: null, keys: keyColumn(keys, this.#keyType) }]);
  }

  async #write(parts: readonly object[]): Promise<void> {
    this.#time += 1n;
    const record = { kind: 'upsert', duplicates: 'replace', parts } as never;
    (await this.#shard.prepare(record, this.now))!.publish();
  }

  read(filter: string, at: Timestamp = TIMESTAMP_MAX): Read & { readonly selection: FilterOfRead } {
    const predicate = planFilter(filter, this.#schema)!;
    const selection = { keys: null, matches: compilePredicate(predicate), predicate };
    return { shards: [this.#shard], scope: { partitionIds: null, at }, selection, share };
  }
}

type FilterOfRead = { readonly keys: null } & Parameters<typeof pageByKey>[1];
