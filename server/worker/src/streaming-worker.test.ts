import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { planFilter } from '@elanus/expr';
import { type LogDamage, LogOutcomeUnknownError } from '@elanus/message-log';
import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  DataType,
  type DuplicateKeyPolicy,
  MilvusError,
  type PartitionId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { WriteRequest } from '@elanus/rpc';
import { seededRandom, silentLogger } from '@elanus/runtime';
import { keyColumn, keysOf, randomBatch, valueAt } from '@elanus/segment/testing';
import { collectionFixture, SteppingTimestamps } from './testing/collection-fixture.ts';
import { FakeMessageLog, type FakeMessageLogOptions } from './testing/fake-message-log.ts';
import { channelOf, openWorkers, readTask, type Workers } from './testing/open-workers.ts';
import { TestFiles } from './testing/test-files.ts';

const ID = 100;
const COLOR = 101;
const schema = schemaFixture([
  fieldFixture(ID, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(COLOR, 'number', DataType.Int32),
  fieldFixture(102, 'vector', DataType.FloatVector, { dim: 4 }),
]);
const P1 = 1n as PartitionId;
const P2 = 2n as PartitionId;

interface Fixture extends Workers {
  readonly log: FakeMessageLog;
  readonly collection: CollectionInfo;
}

async function open(
  options: { shards?: number; duplicateKey?: DuplicateKeyPolicy } = {},
  logOptions: FakeMessageLogOptions = {},
): Promise<Fixture> {
  const log = new FakeMessageLog(logOptions);
  const workers = openWorkers(log, seededRandom(1));
  const { shards = 2, duplicateKey = 'replace' } = options;
  const collection = collectionFixture({ schema, shards, partitions: 2, duplicateKey });
  await workers.streaming.openCollection(collection);
  return { ...workers, log, collection };
}

function insert(collection: CollectionInfo, keys: readonly bigint[], partitionId = P1): WriteRequest {
  const groups = Map.groupBy(keys, (key) => channelOf(key, collection));
  const parts = [...groups].map(([channel, own]) => ({
    channel,
    partitionId,
    batch: randomBatch(collection.schema, own, seededRandom(3)),
  }));
  return { kind: 'insert', collection, parts };
}

function remove(collection: CollectionInfo, keys: readonly bigint[]): WriteRequest {
  const parts = collection.channels.map((channel) => ({
    channel,
    partitionIds: null,
    keys: keyColumn(
      keys.filter((key) => channelOf(key, collection) === channel),
      DataType.Int64,
    ),
  }));
  return { kind: 'delete', collection, parts };
}

async function keysIn({ query, collection }: Fixture, changes: Parameters<typeof readTask>[1] = {}) {
  const { keys } = await query.query({ ...readTask(collection, changes), limit: null, offset: 0 });
  return keysOf(keys);
}

function range(from: number, to: number): bigint[] {
  return Array.from({ length: to - from }, (_, i) => BigInt(from + i));
}

describe('a write', () => {
  it('resolves only when the log has it, and is seen then', async () => {
    const gate = Promise.withResolvers<void>();
    const fixture = await open({}, { delay: () => gate.promise });
    let done = false;
    const written = fixture.streaming.write(insert(fixture.collection, range(0, 10))).then(() => {
      done = true;
    });
    for (let i = 0; i < 5; i++) await turn();
    assert.equal(done, false);
    assert.deepEqual(await keysIn(fixture, { guarantee: 1n as Timestamp }), []);
    gate.resolve();
    await written;
    assert.deepEqual(await keysIn(fixture, { guarantee: 1n as Timestamp }), range(0, 10));
  });

  it('is seen on all shards or on none while it is taken in', async () => {
    const fixture = await open({ shards: 4 });
    const writes = [0, 1, 2].map((round) =>
      fixture.streaming.write(insert(fixture.collection, range(round * 60_000, round * 60_000 + 60_000))),
    );
    let settled = false;
    const all = Promise.all(writes).then(() => {
      settled = true;
    });
    const seen = new Set<bigint>();
    while (!settled) {
      seen.add(await fixture.query.count(readTask(fixture.collection, { guarantee: 1n as Timestamp })));
      await turn();
    }
    await all;
    seen.add(await fixture.query.count(readTask(fixture.collection)));
    assert.deepEqual(
      [...seen].filter((count) => count % 60_000n !== 0n),
      [],
    );
    assert.ok(seen.has(180_000n));
  });

  it('that the log refuses leaves nothing behind', async () => {
    const fixture = await open({}, { fails: (timestamp) => timestamp === 2000n });
    await fixture.streaming.write(insert(fixture.collection, [1n, 2n]));
    await assert.rejects(fixture.streaming.write(insert(fixture.collection, [2n, 3n, 4n])), /append of 2000/);
    const { timestamp } = await fixture.streaming.write(insert(fixture.collection, [5n]));
    assert.equal(timestamp, 3000n);
    assert.deepEqual(await keysIn(fixture), [1n, 2n, 5n]);
  });

  it('that the log cannot tell the outcome of closes the collection, but for writes that are durable', async () => {
    const unknown = new LogOutcomeUnknownError('channel' as ChannelName, 'the disk is gone');
    const fixture = await open({}, { fails: (timestamp) => timestamp === 2000n && unknown });
    const writes = [1n, 2n, 3n].map((key) => fixture.streaming.write(insert(fixture.collection, [key])));
    const outcomes = await Promise.allSettled(writes);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : outcome.value.timestamp)),
      [1000n, unknown, 3000n],
    );
    await assert.rejects(keysIn(fixture), /not known until the next start: the log of channel was closed/);
    await assert.rejects(fixture.streaming.write(insert(fixture.collection, [4n])), /not known until/);
  });

  it('without rows changes nothing and needs no log', async () => {
    const fixture = await open({}, { fails: () => true });
    const result = await fixture.streaming.write(remove(fixture.collection, []));
    assert.equal(result.replacedRows, 0);
  });

  it('to a collection that is not served is refused', async () => {
    const fixture = await open();
    const other = collectionFixture({ id: 7n, schema, shards: 1, partitions: 1 });
    await assert.rejects(
      fixture.streaming.write(insert(other, [1n])),
      (error) => error instanceof MilvusError && error.code === 100,
    );
  });

  it('whose columns do not fit the schema never reaches the log', async () => {
    const fixture = await open({}, { fails: () => assert.fail('nothing may be appended') });
    const request = insert(fixture.collection, [1n]);
    assert.ok(request.kind === 'insert');
    const [part] = request.parts;
    const columns = new Map(part!.batch.columns);
    columns.set(COLOR as never, keyColumn([1n], DataType.Int64));
    const broken = { ...request, parts: [{ ...part!, batch: { length: 1, columns } }] };
    await assert.rejects(fixture.streaming.write(broken), /keeps its type/);
  });
});

describe('the policy for duplicate keys', () => {
  it('reject: refuses an insert whose key exists or is on its way, and writes nothing of it', async () => {
    const fixture = await open({ duplicateKey: 'reject' }, { delay: () => turn() });
    const { streaming, collection } = fixture;
    const [first, second, third] = await Promise.allSettled([
      streaming.write(insert(collection, [1n, 2n])),
      streaming.write(insert(collection, [3n, 2n])),
      streaming.write(insert(collection, [3n, 4n])),
    ]);
    assert.equal(first.status, 'fulfilled');
    assert.equal(third.status, 'fulfilled');
    assert.ok(second.status === 'rejected' && second.reason instanceof MilvusError);
    assert.equal(second.reason.code, 1100);
    assert.match(second.reason.message, /primary key 2 exists already/);
    assert.deepEqual(await keysIn(fixture), [1n, 2n, 3n, 4n]);
    const [removed, inserted] = await Promise.allSettled([
      streaming.write(remove(collection, [1n])),
      streaming.write(insert(collection, [1n])),
    ]);
    assert.equal(removed.status, 'fulfilled');
    assert.equal(inserted.status, 'fulfilled');
  });

  it('reject: still lets an upsert replace', async () => {
    const { streaming, collection } = await open({ duplicateKey: 'reject' });
    await streaming.write(insert(collection, [1n]));
    const upsert: WriteRequest = { ...insert(collection, [1n]), kind: 'upsert' } as WriteRequest;
    assert.equal((await streaming.write(upsert)).replacedRows, 1);
  });

  it('is that of the time of the write when the log is replayed', async () => {
    const fixture = await open({ duplicateKey: 'keep' });
    await fixture.streaming.write(insert(fixture.collection, [1n]));
    await fixture.streaming.write(insert(fixture.collection, [1n]));
    const again = openWorkers(fixture.log, seededRandom(2));
    const collection = { ...fixture.collection, duplicateKey: 'replace' as const };
    await again.streaming.recover([collection]);
    assert.deepEqual(await keysIn({ ...fixture, ...again, collection }), [1n, 1n]);
  });
});

describe('a partition that is dropped', () => {
  it('takes its rows with it and frees their keys, also after a restart', async () => {
    const fixture = await open();
    const { streaming, collection } = fixture;
    await streaming.write(insert(collection, range(0, 30), P1));
    await streaming.write(insert(collection, range(20, 50), P2));
    const left = { ...collection, partitions: collection.partitions.filter(({ id }) => id !== P2) };
    await streaming.updateCollection(left);
    await streaming.dropPartitions(collection.id, [P2]);
    await streaming.dropPartitions(collection.id, [P2]);
    assert.deepEqual(await keysIn(fixture), range(0, 20));
    assert.deepEqual(await streaming.countRows(collection.id), new Map([[P1, 20n]]));
    const again = { ...fixture, ...openWorkers(fixture.log, seededRandom(2)), collection: left };
    await again.streaming.recover([left]);
    assert.deepEqual(await keysIn(again), range(0, 20));
    const { replacedRows } = await streaming.write(insert(collection, range(10, 40), P1));
    assert.equal(replacedRows, 10);
    assert.deepEqual(await keysIn(fixture), range(0, 40));
  });

  it('takes no more rows', async () => {
    const { streaming, collection } = await open();
    await streaming.dropPartitions(collection.id, [P2]);
    await assert.rejects(
      streaming.write(insert(collection, [1n], P2)),
      (error) => error instanceof MilvusError && error.code === 200,
    );
  });

  it('leaves the older duplicates of its rows where duplicates are kept', async () => {
    const fixture = await open({ duplicateKey: 'keep' });
    const { streaming, collection } = fixture;
    await streaming.write(insert(collection, range(0, 10), P1));
    await streaming.write(insert(collection, range(5, 15), P2));
    await streaming.dropPartitions(collection.id, [P2]);
    assert.deepEqual(await keysIn(fixture), range(0, 10));
    await streaming.write(remove(collection, [5n]));
    assert.deepEqual(await keysIn(fixture), [...range(0, 5), ...range(6, 10)]);
  });
});

describe('a read', () => {
  it('does not wait for writes that nobody was told of', async () => {
    const gate = Promise.withResolvers<void>();
    const fixture = await open(
      {},
      { delay: (timestamp) => (timestamp > 1000n ? gate.promise : Promise.resolve()) },
    );
    await fixture.streaming.write(insert(fixture.collection, [1n]));
    const underWay = fixture.streaming.write(insert(fixture.collection, [2n]));
    await turn();
    assert.deepEqual(await keysIn(fixture, { guarantee: TIMESTAMP_MAX }), [1n]);
    gate.resolve();
    await underWay;
    assert.deepEqual(await keysIn(fixture), [1n, 2n]);
  });

  it('of a moment waits for the writes below it, and for no later one', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const fixture = await open({}, { delay: (timestamp) => gates[Number(timestamp) / 1000 - 1]!.promise });
    const writes = [1n, 2n].map((key) => fixture.streaming.write(insert(fixture.collection, [key])));
    await turn();
    const read = keysIn(fixture, { snapshot: 1500n as Timestamp });
    let done = false;
    void read.then(() => {
      done = true;
    });
    for (let i = 0; i < 5; i++) await turn();
    assert.equal(done, false);
    gates[0]!.resolve();
    assert.deepEqual(await read, [1n]);
    gates[1]!.resolve();
    await Promise.all(writes);
  });

  it('of the future is a read of now', async () => {
    const fixture = await open();
    await fixture.streaming.write(insert(fixture.collection, [1n]));
    assert.deepEqual(await keysIn(fixture, { guarantee: TIMESTAMP_MAX, snapshot: TIMESTAMP_MAX }), [1n]);
  });

  it('stops waiting when its caller is gone', async () => {
    const fixture = await open({}, { delay: () => new Promise(() => {}) });
    void fixture.streaming.write(insert(fixture.collection, [1n]));
    await turn();
    const controller = new AbortController();
    const moment = readTask(fixture.collection, { snapshot: TIMESTAMP_MAX });
    const read = fixture.query.count(moment, { signal: controller.signal });
    controller.abort(new Error('the client is gone'));
    await assert.rejects(read, /the client is gone/);
  });

  it('answers a filter, with keys or without', async () => {
    const fixture = await open();
    const { collection, query } = fixture;
    await fixture.streaming.write(insert(collection, range(0, 20_000)));
    const all = await query.query({ ...readTask(collection), limit: null, offset: 0 });
    const columns = await query.fetch(collection.id, all.locations, [ID, COLOR] as never);
    const number = columns.get(COLOR as never)!;
    const expected = range(0, 20_000).filter((_, row) => Number(valueAt(number, row)) > 90);
    const filter = (text: string) => ({ filter: planFilter(text, schema) });
    assert.deepEqual(await keysIn(fixture, filter('number > 90')), expected);
    assert.equal(await query.count(readTask(collection, filter('number > 90'))), BigInt(expected.length));
    assert.deepEqual(await keysIn(fixture, filter('id in [7, 3, 7, 99999]')), [3n, 7n]);
    const both = range(0, 50).filter((key) => expected.includes(key));
    assert.deepEqual(await keysIn(fixture, filter(`number > 90 and id in [${range(0, 50)}]`)), both);
  });

  it('finds nothing of a collection after it was dropped', async () => {
    const fixture = await open();
    const { streaming, collection, log } = fixture;
    await streaming.write(insert(collection, [1n]));
    await streaming.dropCollection(collection.id);
    await streaming.dropCollection(collection.id);
    assert.deepEqual(log.channels(), []);
    await assert.rejects(keysIn(fixture), /collection not found/);
    await assert.rejects(streaming.countRows(collection.id), /collection not found/);
  });
});

/** A record that can't be read. */
function damaged({ channels }: CollectionInfo): LogDamage {
  const reason = 'the payload does not match its checksum';
  return { channel: channels[0]!, file: 'log/7.log', offset: 64, length: 100, reason, kind: 'damaged' };
}

async function flushed({ streaming }: Pick<Workers, 'streaming'>, { id }: CollectionInfo): Promise<void> {
  const { timestamp, segmentIds } = await streaming.flush(id);
  while (!(await streaming.isFlushed(id, timestamp, segmentIds))) await turn();
}

describe('recovery', () => {
  it('drops channels of collections that nobody knows', async () => {
    const { log, collection } = await open();
    await log.createChannel('stray' as ChannelName);
    const { streaming } = openWorkers(log, seededRandom(1));
    await streaming.recover([collection]);
    assert.deepEqual(new Set(log.channels()), new Set(collection.channels));
  });

  it('leaves out what it cannot read, reports it and serves the rest', async () => {
    const fixture = await open({ shards: 1 });
    const { collection, log } = fixture;
    await fixture.streaming.write(insert(collection, [1n, 2n]));
    log.plant(collection.channels[0]!, 1500n as Timestamp, new Uint8Array([9, 9, 9]));
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (_: object, message: string) => void errors.push(message) };
    const again = openWorkers(log, seededRandom(1), { logger });
    const report = await again.streaming.recover([collection]);
    assert.equal(report.skippedRecords, 1);
    assert.equal(report.newestTimestamp, 1500n);
    assert.equal(errors.length, 1);
    assert.deepEqual(await keysIn({ ...fixture, ...again }), [1n, 2n]);
  });

  it('serves the rest of a collection whose log has a damaged record, and says so until somebody accepts it', async () => {
    const fixture = await open();
    const { collection, log } = fixture;
    await fixture.streaming.write(insert(collection, range(0, 10)));
    log.losses = [damaged(collection)];
    const [channel] = collection.channels;
    const words = ['log/7.log at byte 64: the payload does not match its checksum'];
    for (let start = 0; start < 2; start++) {
      const errors: string[] = [];
      const logger = { ...silentLogger, error: (_: object, message: string) => void errors.push(message) };
      const lost = openWorkers(log, seededRandom(1), { logger });
      const report = await lost.streaming.recover([collection]);
      assert.deepEqual(report.failedCollections, []);
      assert.deepEqual(errors, ['the log of a collection has lost writes: the rest of it is served']);
      assert.deepEqual(lost.streaming.lossesOf(collection.id), words);
      assert.deepEqual(await keysIn({ ...fixture, ...lost }), range(0, 10));
    }
    // Put back before any flush: there is no loss any more.
    log.losses = [];
    const mended = openWorkers(log, seededRandom(1));
    await mended.streaming.recover([collection]);
    assert.deepEqual(mended.streaming.lossesOf(collection.id), []);
    assert.deepEqual(log.notedLosses(channel!), []);
  });

  it('remembers a loss that a flush has made final', async () => {
    const fixture = await open();
    const { collection, log } = fixture;
    const files = new TestFiles();
    log.losses = [damaged(collection)];
    const lost = openWorkers(log, seededRandom(1), { files });
    await lost.streaming.recover([collection]);
    await lost.streaming.write(insert(collection, range(0, 10)));
    await flushed(lost, collection);
    log.losses = [];
    const later = openWorkers(log, seededRandom(1), { files });
    await later.streaming.recover([collection]);
    assert.equal(later.streaming.lossesOf(collection.id).length, 1);
    assert.deepEqual(await keysIn({ ...fixture, ...later }), range(0, 10));
  });

  it('refuses a collection whose log is missing bytes, is gone, or must not be damaged, and names the file', async () => {
    const fixture = await open();
    const { collection, log } = fixture;
    await fixture.streaming.write(insert(collection, range(0, 10)));
    const [channel] = collection.channels;
    for (const [kind, damagedLog] of [
      ['damaged', 'refuse'],
      ['missing', 'serve'],
    ] as const) {
      log.losses = [{ ...damaged(collection), kind }];
      const lost = openWorkers(log, seededRandom(1), { damagedLog });
      const report = await lost.streaming.recover([collection]);
      assert.deepEqual(report.failedCollections, [collection.id]);
      const isNamed = { code: 1009, message: /log\/7\.log at byte 64: the payload does not match/ };
      await assert.rejects(keysIn({ ...fixture, ...lost }), isNamed);
      await assert.rejects(lost.streaming.write(insert(collection, [11n])), isNamed);
      await assert.rejects(lost.streaming.countRows(collection.id), isNamed);
      await assert.rejects(lost.streaming.flush(collection.id), isNamed);
    }
    await log.acceptLosses(channel!, log.losses);
    const accepted = openWorkers(log, seededRandom(1));
    await accepted.streaming.recover([collection]);
    assert.deepEqual(await keysIn({ ...fixture, ...accepted }), range(0, 10));

    await log.dropChannel(channel!);
    const gone = openWorkers(log, seededRandom(1));
    for (let start = 0; start < 2; start++) {
      await gone.streaming.recover([collection]);
      await assert.rejects(keysIn({ ...fixture, ...gone }), { code: 1009, message: new RegExp(channel!) });
    }
  });

  it('serves collections while the log of another is still being read', async () => {
    const fixture = await open();
    const { log, collection } = fixture;
    const slow = {
      ...collection,
      id: 2000n as CollectionId,
      name: 'slow',
      channels: ['slow'] as ChannelName[],
    };
    await fixture.streaming.openCollection(slow);
    await fixture.streaming.write(insert(collection, range(0, 10)));
    await fixture.streaming.write(insert(slow, range(0, 20)));
    const gate = Promise.withResolvers<void>();
    const replay = log.replay.bind(log);
    log.replay = async function* (channel, options) {
      if (channel === slow.channels[0]) await gate.promise;
      yield* replay(channel, options);
    };
    const timestamps = new SteppingTimestamps();
    while (timestamps.next() <= log.newestTimestampOf(slow.channels[0]!));
    const again = openWorkers(log, seededRandom(1), { timestamps });
    const { finished } = await again.streaming.beginRecovery([slow, collection]);
    let isAnswered = false;
    const waiting = keysIn({ ...fixture, ...again, collection: slow }).finally(() => {
      isAnswered = true;
    });
    assert.deepEqual(await keysIn({ ...fixture, ...again }), range(0, 10));
    await again.streaming.write(insert(collection, [10n]));
    assert.equal(await again.query.count(readTask(collection)), 11n);
    assert.equal(isAnswered, false);
    gate.resolve();
    assert.deepEqual(await waiting, range(0, 20));
    assert.deepEqual((await finished).failedCollections, []);
  });

  it('gives up reading the log when it is closed', async () => {
    const fixture = await open();
    const { collection, log } = fixture;
    await fixture.streaming.write(insert(collection, range(0, 10)));
    const began = Promise.withResolvers<void>();
    log.replay = async function* (_, { signal } = {}) {
      yield* [];
      began.resolve();
      await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
    };
    const again = openWorkers(log, seededRandom(1));
    const { finished } = await again.streaming.beginRecovery([collection]);
    const read = keysIn({ ...fixture, ...again });
    await began.promise;
    await again.streaming.close();
    await assert.rejects(read, /the worker closes/);
    assert.deepEqual((await finished).failedCollections, [collection.id]);
  });

  it('refuses a collection that it cannot replay, and still lets the catalog change', async () => {
    const fixture = await open();
    const { collection, log } = fixture;
    log.replay = async function* () {
      yield* [];
      throw new Error('the disk is broken');
    };
    const again = openWorkers(log, seededRandom(1));
    const report = await again.streaming.recover([collection]);
    assert.deepEqual(report.failedCollections, [collection.id]);
    await assert.rejects(keysIn({ ...fixture, ...again }), /the disk is broken/);
    await assert.rejects(again.streaming.write(insert(collection, [1n])), /the disk is broken/);
    await again.streaming.updateCollection(collection);
    await again.streaming.dropPartitions(collection.id, [P2]);
    await again.streaming.dropCollection(collection.id);
  });

  it('lets reads and writes of a collection wait for its replay, and no longer', async () => {
    const fixture = await open();
    await fixture.streaming.write(insert(fixture.collection, range(0, 100)));
    const again = { ...fixture, ...openWorkers(fixture.log, seededRandom(1)) };
    const progress: number[] = [];
    const recovering = again.streaming.recover([fixture.collection], {
      onProgress: ({ rows }) => progress.push(rows),
    });
    assert.deepEqual(await keysIn(again), range(0, 100));
    const report = await recovering;
    assert.equal(report.rows, 100);
    assert.equal(progress.at(-1), 100);
  });

  it('gives rows of an older schema the defaults of today', async () => {
    const fixture = await open();
    await fixture.streaming.write(insert(fixture.collection, [1n, 2n]));
    const added = [
      fieldFixture(103, 'size', DataType.Int64, { nullable: true, defaultValue: 42n }),
      fieldFixture(104, 'note', DataType.VarChar, { nullable: true }),
    ];
    const collection = {
      ...fixture.collection,
      schema: schemaFixture([...schema.fields, ...added], { version: 1 }),
    };
    const again = openWorkers(fixture.log, seededRandom(1));
    await again.streaming.recover([collection]);
    await fixture.streaming.updateCollection(collection);
    for (const { streaming, query } of [again, fixture]) {
      if (streaming === fixture.streaming) await streaming.write(insert(collection, [3n]));
      const found = await query.query({ ...readTask(collection), limit: 2, offset: 0 });
      const columns = await query.fetch(collection.id, found.locations, [103, 104] as never);
      assert.deepEqual(
        [...columns.values()].map((column) => [valueAt(column, 0), valueAt(column, 1)]),
        [
          [42n, 42n],
          [null, null],
        ],
      );
    }
    assert.deepEqual(await keysIn({ ...fixture, collection }), [1n, 2n, 3n]);
  });
});
