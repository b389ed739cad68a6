import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type CollectionInfo, DataType, type DuplicateKeyPolicy, type PartitionId } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { ManualClock, seededRandom } from '@elanus/runtime';
import { keyColumn, keysOf } from '@elanus/segment/testing';
import { ClockTimestamps } from '../testing/clock-timestamps.ts';
import { collectionFixture } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { channelOf, openWorkers, readTask, type Workers } from '../testing/open-workers.ts';
import { TestFiles } from '../testing/test-files.ts';

const ID = 100;
const UNTIL = 101;
const schema = schemaFixture([
  fieldFixture(ID, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(UNTIL, 'until', DataType.Timestamptz, { nullable: true }),
]);
const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

/** A collection whose rows have their time, on a clock that is moved by hand. */
class Table {
  readonly clock = new ManualClock();
  readonly files = new TestFiles();
  readonly log = new FakeMessageLog();
  info: CollectionInfo;
  workers: Workers;

  constructor(properties: Readonly<Record<string, string>>, duplicateKey: DuplicateKeyPolicy = 'replace') {
    const fixture = collectionFixture({ schema, shards: 2, partitions: 1, duplicateKey });
    this.info = { ...fixture, properties: listOf(properties) };
    this.workers = this.#openWorkers();
  }

  static async open(...options: ConstructorParameters<typeof Table>): Promise<Table> {
    const table = new Table(...options);
    await table.workers.streaming.openCollection(table.info);
    table.workers.streaming.watchFiles();
    return table;
  }

  /** Inserts or replaces rows; `until`: seconds from now, `null`: none. */
  async put(kind: 'insert' | 'upsert', keys: readonly bigint[], until: number | null = null): Promise<void> {
    const moment = until === null ? 0n : BigInt(this.clock.nowMs() + 1000 * until) * 1000n;
    const parts = [...Map.groupBy(keys, (key) => channelOf(key, this.info))].map(([channel, own]) => {
      const moments = {
        dataType: DataType.Timestamptz,
        length: own.length,
        validity: until === null ? new Uint8Array(own.length) : null,
        values: new BigInt64Array(own.length).fill(moment),
      };
      const ids = keyColumn(own, DataType.Int64);
      const columns = new Map([ids, moments].map((column, at) => [schema.fields[at]!.id, column] as const));
      return { channel, partitionId: 1n as PartitionId, batch: { length: own.length, columns } };
    });
    await this.workers.streaming.write({ kind, collection: this.info, parts });
  }

  /** Lets so many seconds pass, and whoever wakes finish. */
  async wait(seconds: number): Promise<void> {
    for (; seconds > 0; seconds--) {
      this.clock.advance(1000);
      for (let turns = 0; turns < 40; turns++) await turn();
    }
  }

  async flush(): Promise<void> {
    const { streaming } = this.workers;
    const { timestamp } = await streaming.flush(this.info.id);
    while (!(await streaming.isFlushed(this.info.id, timestamp, []))) await turn();
  }

  async change(properties: Readonly<Record<string, string>>): Promise<void> {
    this.info = { ...this.info, properties: listOf(properties) };
    await this.workers.streaming.updateCollection(this.info);
  }

  /** Ends the process; the next one begins `seconds` later. */
  async restart(seconds: number): Promise<void> {
    await this.workers.streaming.close();
    this.clock.advance(1000 * seconds);
    this.workers = this.#openWorkers();
    await this.workers.streaming.beginRecovery([this.info]);
    this.workers.streaming.watchFiles();
  }

  /** Keys of all rows that anybody sees, ascending. */
  async keys(): Promise<readonly bigint[]> {
    const { query } = this.workers;
    const { keys } = await query.query({ ...readTask(this.info), limit: 1000, offset: 0 });
    assert.equal(await query.count(readTask(this.info)), BigInt(keys.length));
    return keysOf(keys) as bigint[];
  }

  #openWorkers(): Workers {
    const { clock, files } = this;
    const timestamps = new ClockTimestamps(clock);
    const workers = openWorkers(this.log, seededRandom(1), { clock, files, timestamps });
    closing.push(() => workers.streaming.close());
    return workers;
  }
}

function listOf(properties: Readonly<Record<string, string>>): CollectionInfo['properties'] {
  return Object.entries(properties).map(([key, value]) => ({ key, value }));
}

const TEN_SECONDS = { 'collection.ttl.seconds': '10' };
const BY_FIELD = { ttl_field: 'until' };

describe('rows that have had their time', () => {
  for (const isFlushed of [false, true])
    it(`are gone when they are as old as the collection allows, ${isFlushed ? '' : 'not '}flushed`, async () => {
      const table = await Table.open(TEN_SECONDS);
      await table.put('insert', [1n, 2n, 3n]);
      if (isFlushed) await table.flush();
      await table.wait(6);
      await table.put('insert', [4n]);
      await table.put('upsert', [2n]);
      if (isFlushed) await table.flush();
      await table.wait(3);
      assert.deepEqual(await table.keys(), [1n, 2n, 3n, 4n]);
      await table.wait(2);
      assert.deepEqual(await table.keys(), [2n, 4n], 'what was written anew has its whole time');
      await table.wait(6);
      assert.deepEqual(await table.keys(), []);
      await table.put('insert', [1n]);
      assert.deepEqual(await table.keys(), [1n]);
    });

  it('are gone at the moment that a field says, and stay without one', async () => {
    const table = await Table.open(BY_FIELD);
    await table.put('insert', [1n, 2n], 5);
    await table.put('insert', [3n], 60);
    await table.put('insert', [4n]);
    await table.flush();
    await table.put('insert', [5n], -1);
    await table.put('insert', [6n], 3);
    await table.wait(2);
    assert.deepEqual(await table.keys(), [1n, 2n, 3n, 4n, 6n]);
    await table.put('upsert', [1n], 600);
    await table.wait(5);
    assert.deepEqual(await table.keys(), [1n, 3n, 4n]);
    await table.wait(60);
    assert.deepEqual(await table.keys(), [1n, 4n]);
  });

  it('are gone more quickly, or not at all, when the collection is changed', async () => {
    const table = await Table.open({});
    await table.put('insert', [1n, 2n]);
    await table.wait(20);
    assert.deepEqual(await table.keys(), [1n, 2n]);
    await table.put('insert', [3n]);
    await table.change(TEN_SECONDS);
    await table.wait(1);
    assert.deepEqual(await table.keys(), [3n]);
    await table.change({ 'collection.ttl.seconds': '-1' });
    await table.wait(60);
    assert.deepEqual(await table.keys(), [3n]);
  });

  for (const properties of [TEN_SECONDS, BY_FIELD])
    it(`are not seen by the first read of a process that starts later (${Object.keys(properties)})`, async () => {
      const table = await Table.open(properties);
      await table.put('insert', [1n, 2n], 10);
      await table.flush();
      await table.put('insert', [3n], 10);
      await table.wait(5);
      await table.put('insert', [4n], 600);
      await table.restart(8);
      assert.deepEqual(await table.keys(), [4n]);
      await table.restart(0);
      assert.deepEqual(await table.keys(), [4n], 'deletions are in the log');
    });

  it('stay as long as another row with their key has time left, where duplicates are kept', async () => {
    const table = await Table.open(TEN_SECONDS, 'keep');
    await table.put('insert', [1n, 2n]);
    await table.wait(6);
    await table.put('insert', [1n]);
    await table.wait(6);
    assert.deepEqual(await table.keys(), [1n, 1n]);
    await table.wait(6);
    assert.deepEqual(await table.keys(), []);
  });

  it('are many at once', async () => {
    const table = await Table.open(TEN_SECONDS);
    const keys = Array.from({ length: 25_000 }, (_, at) => BigInt(at));
    await table.put('insert', keys);
    await table.wait(5);
    await table.put('insert', [-1n]);
    await table.wait(8);
    assert.deepEqual(await table.keys(), [-1n]);
  });

  it('are just those whose last write is that long ago, whatever else is written', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = seededRandom(seed);
      const table = await Table.open({ 'collection.ttl.seconds': '5' });
      const writtenMs = new Map<bigint, number>();
      for (let second = 0; second < 40; second++) {
        const keys = Array.from({ length: 5 }, () => BigInt(random.uint32() % 30));
        const distinct = [...new Set(keys)];
        await table.put('upsert', distinct);
        for (const key of distinct) writtenMs.set(key, table.clock.nowMs());
        if (random.uint32() % 5 === 0) await table.flush();
        if (random.uint32() % 12 === 0) await table.restart(2);
        await table.wait(1);
        const nowMs = table.clock.nowMs();
        const expected = [...writtenMs].filter(([, ms]) => ms > nowMs - 5000).map(([key]) => key);
        const wanted = expected.sort((a, b) => Number(a - b));
        assert.deepEqual(await table.keys(), wanted, `seed ${seed}, second ${second}`);
      }
      await table.workers.streaming.close();
    }
  });
});
