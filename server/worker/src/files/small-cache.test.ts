import assert from 'node:assert/strict';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { planFilter } from '@elanus/expr';
import { loadKernel } from '@elanus/kernel';
import {
  type Column,
  DataType,
  type FieldId,
  type IndexId,
  type IndexInfo,
  type Int64Column,
  MilvusError,
  type PartitionId,
  type RowBatch,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { ObjectStoreError, openObjectFiles } from '@elanus/object-store';
import { NodeDisk, noMetrics, seededRandom, silentLogger } from '@elanus/runtime';
import { keyColumn, keysOf } from '@elanus/segment/testing';
import { IndexFiles } from '../indexing/index-files.ts';
import { openIndexWorker } from '../indexing/index-worker.ts';
import { openQueryWorker } from '../query-worker.ts';
import { openStreamingWorker } from '../streaming-worker.ts';
import { collectionFixture, SteppingTimestamps } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { channelOf, readTask } from '../testing/open-workers.ts';
import { QuickClock } from '../testing/quick-clock.ts';
import { TestFiles } from '../testing/test-files.ts';
import { FileVerifier } from './file-verifier.ts';
import { MappedSegmentFiles } from './mapped-segment-files.ts';

const DIM = 64;
const KEYS = 2_000;
/** Keys, their filter, their order and times; and the end of the file. */
const KEPT_PARTS = 5;
const TAGS = 5n;
const [VERSION, TAG, FLAG, VECTOR] = [101, 102, 103, 104] as readonly number[] as readonly [
  FieldId,
  FieldId,
  FieldId,
  FieldId,
];
const vector = fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: DIM });
const schema = schemaFixture([
  fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(VERSION, 'version', DataType.Int64),
  fieldFixture(TAG, 'tag', DataType.VarChar, { maxLength: 100 }),
  fieldFixture(FLAG, 'flag', DataType.Bool, { nullable: true }),
  vector,
]);
const collection = collectionFixture({ schema, shards: 2, partitions: 4 });
const partitions = collection.partitions.map(({ id }) => id);
const INDEX: IndexInfo = {
  id: 900n as IndexId,
  collectionId: collection.id,
  fieldId: VECTOR,
  name: 'vector',
  indexType: 'HNSW',
  metricType: 'L2',
  params: [{ key: 'graph_layout', value: 'compact' }],
  createdTimestamp: 1n as Timestamp,
};
const TAGS_INDEX: IndexInfo = {
  ...INDEX,
  id: 901n as IndexId,
  fieldId: TAG,
  name: 'tag',
  indexType: 'INVERTED',
  metricType: null,
  params: [],
};

type Server = Awaited<ReturnType<typeof startServer>>;

/** A server over a bucket, whose copies may take `bytesMax`, and what its rows should be. */
class Scenario {
  readonly bucket = new TestFiles();
  readonly random = seededRandom(21);
  readonly expected = new Map<bigint, { readonly version: bigint; readonly partitionId: PartitionId }>();
  readonly #directory: string;
  readonly #bytesMax: number;
  readonly log = new FakeMessageLog();
  readonly timestamps = new SteppingTimestamps();
  #nextVersion = 1n;
  #starts = 0;
  server!: Server;

  constructor(directory: string, bytesMax: number) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  async start(): Promise<void> {
    // What the collector of garbage ends of an earlier server is not this one's.
    const directory = join(this.#directory, String(this.#starts++));
    this.server = await startServer(this, directory, this.#bytesMax);
  }

  async put(count: number, partitionId = this.partition()): Promise<void> {
    const version = this.#nextVersion++;
    const keys = new Set(Array.from({ length: count }, () => BigInt(this.random.below(KEYS))));
    const groups = Map.groupBy(keys, (key) => channelOf(key, collection));
    for (const key of keys) this.expected.set(key, { version, partitionId });
    await this.server.streaming.write({
      kind: 'upsert',
      collection,
      parts: [...groups].map(([channel, own]) => ({ channel, partitionId, batch: batchOf(own, version) })),
    });
  }

  async flush(): Promise<void> {
    const { streaming } = this.server;
    const { timestamp } = await streaming.flush(collection.id);
    while (!(await streaming.isFlushed(collection.id, timestamp, []))) await turn();
  }

  async compact(): Promise<void> {
    const { streaming } = this.server;
    const { id } = await streaming.compact(collection.id, { partitionId: null, bytesMax: null });
    while (streaming.compaction(id).executing > 0) await turn();
  }

  partition(): PartitionId {
    return partitions[this.random.below(partitions.length)]!;
  }

  /** The rows with a tag, and one row by its vector. */
  async check(partitionId: PartitionId | null, walk: 'index' | 'comparison'): Promise<void> {
    const partitionIds = partitionId === null ? null : [partitionId];
    const rows = [...this.expected].filter(
      ([, row]) => partitionId === null || row.partitionId === partitionId,
    );
    const tag = BigInt(this.random.below(Number(TAGS)));
    const wanted = rows[this.random.below(rows.length)];
    const { query } = this.server;
    const { keys, locations } = await query.query({
      ...readTask(collection, { partitionIds }),
      filter: planFilter(`tag == "${textOf(tag)}" and flag == true`, schema),
      limit: null,
      offset: 0,
    });
    const versions = await query.fetch(collection.id, locations, [VERSION]);
    const found = keysOf(keys).map((key, at) => [key, (versions.get(VERSION) as Int64Column).values[at]!]);
    const expected = rows
      .filter(([key, { version }]) => version % TAGS === tag && key % 2n === 1n)
      .map(([key, { version }]) => [key, version])
      .sort(([a], [b]) => (a! < b! ? -1 : 1));
    assert.deepEqual(found, expected, `rows of partition ${partitionId}`);
    if (wanted === undefined) return;
    const [key, { version }] = wanted;
    const hits = await query.search({
      ...readTask(collection, { partitionIds }),
      field: vector,
      metric: 'L2',
      queries: {
        dataType: DataType.FloatVector,
        dim: DIM,
        count: 1,
        bytes: vectorOf(key, version),
        offsets: null,
      },
      limit: 1,
      radius: null,
      rangeFilter: null,
      walk: walk === 'index' ? { ef: 64, refineK: 1 } : null,
    });
    assert.deepEqual([keysOf(hits.keys), [...hits.scores]], [[key], [0]], `the row by ${walk}`);
  }
}

async function startServer(scenario: Scenario, cacheDirectory: string, cacheBytesMax: number) {
  const { store, catalog } = scenario.bucket;
  const disk = new NodeDisk();
  const clock = new QuickClock();
  const files = await openObjectFiles({
    store,
    disk,
    cacheDirectory,
    cacheBytesMax,
  });
  const tools = { clock, logger: silentLogger, metrics: noMetrics };
  const verifier = new FileVerifier({ files, disk, ...tools });
  const streaming = openStreamingWorker({
    log: scenario.log,
    store,
    files: new MappedSegmentFiles(files, verifier),
    catalog,
    timestamps: scenario.timestamps,
    random: scenario.random,
    ...tools,
  });
  await streaming.openCollection(collection);
  await streaming.recover([collection]);
  const kernel = loadKernel();
  const { collections, share } = streaming;
  const indexing = openIndexWorker({
    collections,
    share,
    kernel,
    buildsMax: 1,
    limits: { rowsMin: 100 },
    scalarLimits: { rowsMin: 100 },
    indexFiles: new IndexFiles({ store, files, catalog, kernel, disk, logger: silentLogger }),
    ...tools,
  });
  await indexing.openIndex(INDEX);
  await indexing.openIndex(TAGS_INDEX);
  const query = openQueryWorker({ collections, share, kernel, clock });
  const stop = async (): Promise<void> => {
    await query[Symbol.asyncDispose]();
    await indexing[Symbol.asyncDispose]();
    await streaming[Symbol.asyncDispose]();
    await verifier[Symbol.asyncDispose]();
  };
  return { files, streaming, indexing, query, stop };
}

function textOf(tag: bigint): string {
  return `tag ${tag} `.repeat(5);
}

function vectorOf(key: bigint, version: bigint): Uint8Array {
  const random = seededRandom(Number(key) * 1_000 + Number(version));
  return new Uint8Array(Float32Array.from({ length: DIM }, () => random.float() - 0.5).buffer);
}

function batchOf(keys: readonly bigint[], version: bigint): RowBatch {
  const { length } = keys;
  const text = Buffer.from(textOf(version % TAGS));
  const base = { length, validity: null };
  const columns = new Map<FieldId, Column>([
    [100 as FieldId, keyColumn(keys, DataType.Int64)],
    [VERSION, { dataType: DataType.Int64, ...base, values: new BigInt64Array(length).fill(version) }],
    [
      TAG,
      {
        dataType: DataType.VarChar,
        ...base,
        offsets: Uint32Array.from({ length: length + 1 }, (_, at) => at * text.length),
        bytes: Buffer.concat(keys.map(() => text)),
      },
    ],
    [
      FLAG,
      {
        dataType: DataType.Bool,
        length,
        validity: Uint8Array.from(keys, (key) => (key % 4n === 0n ? 0 : 1)),
        values: Uint8Array.from(keys, (key) => Number(key % 2n)),
      },
    ],
    [
      VECTOR,
      {
        dataType: DataType.FloatVector,
        ...base,
        dim: DIM,
        bytes: Buffer.concat(keys.map((key) => vectorOf(key, version))),
      },
    ],
  ]);
  return { length, columns };
}

/** Bytes that the disk has given to what lies in a directory. */
async function allocatedBytes(path: string): Promise<number> {
  const status = await lstat(path).catch(() => null);
  // It was removed just now.
  if (status === null) return 0;
  if (!status.isDirectory()) return status.blocks * 512;
  const sizes = await Promise.all((await readdir(path)).map((name) => allocatedBytes(join(path, name))));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function withScenario(
  bytesMax: number,
  work: (scenario: Scenario, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-small-cache-'));
  const scenario = new Scenario(directory, bytesMax);
  await scenario.start();
  try {
    await work(scenario, directory);
  } finally {
    await scenario.server.stop();
    // Room may be given back just now.
    await rm(directory, { recursive: true, maxRetries: 20 });
  }
}

/** Who has not said that it reads gets an error, not bytes of something else. */
function refusesWhoDoesNotUse({ streaming }: Server): void {
  const [shard] = streaming.collections.get(collection.id).shards;
  const [file] = shard!.files;
  assert.throws(() => file!.column(VECTOR, 0, 1), /read by who uses it/);
  assert.equal(file!.keys.isRising(0, 1), true, 'keys are there for everybody');
  const [chunk] = shard!.stored.rewritable().length > 0 ? shard!.segments()[0]!.chunks : [];
  assert.throws(() => chunk!.column(VECTOR), /read by who uses it/, 'nor where it was read before');
  const indexes = shard!.vectorIndexes.of(VECTOR).flatMap(({ pieces }) => pieces);
  for (const { index } of indexes.filter((piece) => piece.file !== null)) {
    assert.throws(() => index.searchSync({} as never), /searched by who uses its file/);
  }
}

for (const bytesMax of [0, 200_000]) {
  test(`a collection that is larger than its copies of ${bytesMax} bytes may be answers as if they were there`, () =>
    withScenario(bytesMax, async (scenario, directory) => {
      const { random } = scenario;
      for (let round = 0; round < 10; round++) {
        await scenario.put(50 + random.below(150));
        if (round % 4 === 3)
          await Promise.all([scenario.flush(), scenario.check(scenario.partition(), 'index')]);
        if (round % 5 === 4) await Promise.all([scenario.compact(), scenario.check(null, 'comparison')]);
        await Promise.all(
          partitions.map((id) => scenario.check(id, random.chance(0.5) ? 'index' : 'comparison')),
        );
        await scenario.check(null, 'index');
      }
      const { store } = scenario.bucket;
      const objects = [...store.objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
      assert.ok(objects > 500_000, `${objects} bytes in the bucket`);
      const { files: cache, stop } = scenario.server;
      await stop();
      // What comes waits until the room of what goes is given back.
      await store.put('last', Buffer.from('x'));
      (await cache.hold({ key: 'last', bytes: 1, crc32: crc32('x') })).release();
      assert.equal(cache.usedBytes, 0);
      assert.ok(cache.cachedBytes < 200_000, `${cache.cachedBytes} bytes of copies`);
      // Room is given in blocks: each of the kept parts has two that are not all its own.
      const files = (await readdir(directory, { recursive: true })).length;
      const blocks = files * KEPT_PARTS * 2;
      const allocated = await allocatedBytes(directory);
      assert.ok(allocated <= cache.cachedBytes + blocks * 4096, `${allocated} bytes in ${files} files`);
      await scenario.start();
      for (const id of [...partitions, null]) await scenario.check(id, 'index');
    }));
}

test('a read that can’t get a copy back says so, writes go on, and all is there again with the bucket', () =>
  withScenario(0, async (scenario) => {
    const { store } = scenario.bucket;
    for (const id of partitions) {
      await scenario.put(300, id);
      await scenario.flush();
    }
    await Promise.all(partitions.map((id) => scenario.check(id, 'index')));
    while (scenario.server.files.usedBytes > 0) await turn();
    refusesWhoDoesNotUse(scenario.server);
    store.around = async (call, key, work) => {
      if (call === 'get') throw new ObjectStoreError('unavailable', key, 'the line is cut');
      return await work();
    };
    let refused = 0;
    for (const id of partitions)
      await scenario.check(id, 'comparison').catch((error: unknown) => {
        assert.ok(error instanceof MilvusError && error.code === 1009, String(error));
        assert.match(error.message, /the line is cut/);
        refused += 1;
      });
    assert.equal(refused, partitions.length);
    // Keys have stayed: rows are replaced although nobody can read them.
    await scenario.put(500);
    // Who waits for the same copy is told the same.
    while (scenario.server.files.usedBytes > 0) await turn();
    store.around = null;
    await Promise.all(partitions.map((id) => scenario.check(id, 'comparison')));
    await scenario.flush();
    await scenario.check(null, 'index');
  }));
