import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DataType, TIMESTAMP_MAX, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { SearchHits } from '@elanus/rpc';
import { ManualClock, noMetrics, type Random, seededRandom, silentLogger } from '@elanus/runtime';
import { keysOf, randomBatch } from '@elanus/segment/testing';
import { collectionFixture } from '../testing/collection-fixture.ts';
import { FakeIndexKernel, type HeldBuild } from '../testing/fake-index-kernel.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { indexFixture } from '../testing/index-fixture.ts';
import { openWorkers, readTask, type Workers } from '../testing/open-workers.ts';
import { type BackgroundIndexWorker, openIndexWorker } from './index-worker.ts';

const DIM = 8;
const ROWS_MIN = 500;
const REST_MS = 5_000;
const vector = fieldFixture(101, 'vector', DataType.FloatVector, { dim: DIM });
/** Long rows make short chunks: 512 rows. */
const padding = fieldFixture(102, 'padding', DataType.FloatVector, { dim: 4096 });
const schema = schemaFixture([
  fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }),
  vector,
  padding,
]);

class Fixture {
  readonly collection = collectionFixture({ schema, shards: 1, partitions: 2 });
  readonly index = indexFixture(this.collection);
  readonly kernel = new FakeIndexKernel();
  readonly clock = new ManualClock();
  readonly logged: string[] = [];
  readonly workers: Workers;
  readonly indexing: BackgroundIndexWorker;
  readonly #random: Random = seededRandom(11);

  constructor(log = new FakeMessageLog(), buildsMax = 1, memoryBytesMax = Number.POSITIVE_INFINITY) {
    this.workers = openWorkers(log, this.#random);
    this.indexing = openIndexWorker({
      collections: this.workers.streaming.collections,
      share: this.workers.streaming.share,
      kernel: this.kernel,
      clock: this.clock,
      logger: { ...silentLogger, info: (_, message) => this.logged.push(message) },
      metrics: noMetrics,
      buildsMax,
      limits: { rowsMin: ROWS_MIN },
      memoryBytesMax,
    });
  }

  static async withCollection(buildsMax = 1): Promise<Fixture> {
    const fixture = new Fixture(new FakeMessageLog(), buildsMax);
    await fixture.workers.streaming.openCollection(fixture.collection);
    return fixture;
  }

  async insert(first: number, count: number, partition = 0): Promise<Timestamp> {
    const keys = Array.from({ length: count }, (_, i) => BigInt(first + i));
    const { collection } = this;
    const part = {
      channel: collection.channels[0]!,
      partitionId: collection.partitions[partition]!.id,
      batch: randomBatch(schema, keys, this.#random),
    };
    return (await this.workers.streaming.write({ kind: 'insert', collection, parts: [part] })).timestamp;
  }

  async pending(at: Timestamp = TIMESTAMP_MAX): Promise<readonly [now: number, then: number]> {
    const progress = await this.indexing.indexProgress(this.index, at);
    return [Number(progress.pendingRows), Number(progress.pendingRowsThen)];
  }

  /** The build that was begun as number `number`, once it is. */
  async build(number: number): Promise<HeldBuild> {
    for (let turns = 0; turns < 100; turns++) {
      const build = this.kernel.builds[number];
      if (build !== undefined) return build;
      await turn();
    }
    assert.fail(`no build ${number}`);
  }

  async finish(number: number): Promise<HeldBuild> {
    const build = await this.build(number);
    build.finish();
    await turn();
    return build;
  }

  async search(walk: { ef: number; refineK: number } | null): Promise<SearchHits> {
    const bytes = new Uint8Array(Float32Array.from({ length: DIM }, () => this.#random.float()).buffer);
    return await this.workers.query.search({
      ...readTask(this.collection),
      field: vector,
      metric: 'L2',
      queries: { dataType: DataType.FloatVector, dim: DIM, count: 1, bytes, offsets: null },
      limit: 5,
      radius: null,
      rangeFilter: null,
      walk,
    });
  }
}

describe('the index worker', () => {
  it('has nothing to do for few rows', async () => {
    const fixture = await Fixture.withCollection();
    await fixture.insert(0, ROWS_MIN - 1);
    await fixture.indexing.openIndex(fixture.index);
    await turn();
    assert.deepEqual(await fixture.pending(), [0, 0]);
    assert.equal(fixture.kernel.builds.length, 0);
  });

  it('builds over the rows that there are, tells how far it is, and searches go through it', async () => {
    const fixture = await Fixture.withCollection();
    const before = await fixture.insert(0, 3000);
    await fixture.indexing.openIndex(fixture.index);
    assert.deepEqual(await fixture.pending(before), [3000, 3000]);
    const { build } = await fixture.build(0);
    assert.deepEqual(build.spec, { type: 'HNSW', m: 30, efConstruction: 360, layout: 'auto' });
    assert.deepEqual([build.metric, build.dim, build.threads, build.seed], ['L2', DIM, 2, 900]);
    build.onProgress!(50);
    assert.deepEqual(await fixture.pending(before), [1500, 1500]);
    build.onProgress!(100);
    assert.deepEqual(await fixture.pending(before), [1, 1]);
    await fixture.insert(3000, 300);
    const { index } = await fixture.finish(0);
    assert.deepEqual(await fixture.pending(), [0, 0]);
    assert.deepEqual(fixture.logged, [
      'an index build starts',
      'an index build goes on',
      'an index build has ended',
    ]);
    await fixture.search({ ef: 16, refineK: 1 });
    assert.equal(index!.searches, 1);
    await fixture.search(null);
    assert.equal(index!.searches, 1);
  });

  it('goes on as rows come, and only those from before keep an index from being finished', async () => {
    const fixture = await Fixture.withCollection();
    await fixture.indexing.openIndex(fixture.index);
    const early = await fixture.insert(0, 1100);
    assert.deepEqual(await fixture.pending(early), [1096, 1096]);
    await fixture.finish(0);
    await fixture.insert(5000, 1600);
    const [now, then] = await fixture.pending(early);
    assert.ok(now >= 1600 && then <= 8, `${now} now, ${then} then`);
    await fixture.finish(1);
    assert.deepEqual(await fixture.pending(), [0, 0]);
  });

  it('builds no more at once than it may', async () => {
    const fixture = await Fixture.withCollection();
    await fixture.insert(0, 1000, 0);
    await fixture.insert(5000, 1000, 1);
    await fixture.indexing.openIndex(fixture.index);
    await fixture.build(0);
    await turn();
    assert.equal(fixture.kernel.builds.length, 1);
    await fixture.finish(0);
    await fixture.finish(1);
    assert.deepEqual(await fixture.pending(), [0, 0]);
  });

  it('stops and frees what is dropped: an index, a partition, a collection, itself', async () => {
    const fixture = await Fixture.withCollection(2);
    const { indexing, workers, collection } = fixture;
    await fixture.insert(0, 1000, 0);
    await indexing.openIndex(fixture.index);
    const first = await fixture.finish(0);
    await fixture.insert(5000, 1000, 1);
    const held = await fixture.build(1);
    await workers.streaming.dropPartitions(collection.id, [collection.partitions[1]!.id]);
    held.finish();
    await turn();
    assert.ok(held.index!.isClosed);
    assert.ok(!first.index!.isClosed);
    await indexing.closeIndex(fixture.index);
    assert.ok(first.index!.isClosed);
    await fixture.search({ ef: 16, refineK: 1 });

    await indexing.openIndex(indexFixture(collection, 901n));
    const again = await fixture.build(2);
    await workers.streaming.dropCollection(collection.id);
    assert.ok(again.build.signal!.aborted);
    await indexing[Symbol.asyncDispose]();
  });

  it('builds AUTOINDEX as what fits beside the indexes that there are', async () => {
    // A row takes 208 bytes as a compact graph, of which 32 are its vector, and 26 in lists.
    const fixture = new Fixture(new FakeMessageLog(), 1, 300_000);
    const { collection, indexing, kernel } = fixture;
    await fixture.workers.streaming.openCollection(collection);
    await fixture.insert(0, 1000, 0);
    await fixture.insert(5_000, 2000, 1);
    await indexing.openIndex({ ...indexFixture(collection), indexType: 'AUTOINDEX' });
    await fixture.finish(0);
    await fixture.finish(1);
    const specs = kernel.builds.map(({ build }) => build.spec);
    const compact = { type: 'HNSW', m: 16, efConstruction: 200, layout: 'compact' };
    assert.deepEqual(specs[0], compact);
    assert.equal(specs[1]!.type, 'IVF_SQ');
    await indexing[Symbol.asyncDispose]();
  });

  it('says why a build failed, and tries again when there are twice the rows', async () => {
    const fixture = await Fixture.withCollection();
    await fixture.insert(0, 1000);
    await fixture.indexing.openIndex(fixture.index);
    (await fixture.build(0)).fail(new Error('no memory'));
    await turn();
    assert.equal(
      (await fixture.indexing.indexProgress(fixture.index, TIMESTAMP_MAX)).failReason,
      'no memory',
    );
    await fixture.insert(1000, 600);
    await turn();
    assert.equal(fixture.kernel.builds.length, 1);
    await fixture.insert(2000, 600);
    await fixture.finish(1);
    assert.equal((await fixture.indexing.indexProgress(fixture.index, TIMESTAMP_MAX)).failReason, null);
    assert.deepEqual(await fixture.pending(), [0, 0]);
  });

  it('makes one index of several when writes have come to rest', async () => {
    const fixture = await Fixture.withCollection();
    await fixture.indexing.openIndex(fixture.index);
    await fixture.insert(0, 4000);
    await fixture.finish(0);
    await fixture.insert(10_000, 1000);
    await fixture.finish(1);
    fixture.clock.advance(REST_MS);
    await turn();
    assert.equal(fixture.kernel.builds.length, 2);
    fixture.clock.advance(REST_MS);
    const whole = await fixture.finish(2);
    assert.equal(whole.rows, 5000);
    assert.ok(fixture.kernel.builds[0]!.index!.isClosed && fixture.kernel.builds[1]!.index!.isClosed);
    fixture.clock.advance(REST_MS);
    await turn();
    assert.equal(fixture.kernel.builds.length, 3);
    await fixture.indexing[Symbol.asyncDispose]();
  });

  it('builds again after a start, while searches are answered', async () => {
    const log = new FakeMessageLog();
    const before = new Fixture(log);
    await before.workers.streaming.openCollection(before.collection);
    await before.insert(0, 2000);
    const after = new Fixture(log);
    await after.workers.streaming.recover([after.collection]);
    await after.indexing.openIndex(after.index);
    assert.equal(keysOf((await after.search({ ef: 16, refineK: 1 })).keys).length, 5);
    assert.deepEqual(await after.pending(), [2000, 2000]);
    await after.finish(0);
    assert.deepEqual(await after.pending(), [0, 0]);
    assert.equal(keysOf((await after.search({ ef: 16, refineK: 1 })).keys).length, 5);
  });
});
