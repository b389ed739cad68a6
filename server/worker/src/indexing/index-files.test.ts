import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type IndexOpen, loadKernel, type VectorIndex } from '@elanus/kernel';
import {
  DataType,
  type FieldId,
  type IndexId,
  type IndexInfo,
  type SparseVectorColumn,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { openObjectFiles, openObjectStore } from '@elanus/object-store';
import { NodeDisk, noMetrics, seededRandom, silentLogger, systemClock } from '@elanus/runtime';
import type { IndexedPiece } from '@elanus/segment';
import { keysOf, randomBatch } from '@elanus/segment/testing';
import { FileVerifier } from '../files/file-verifier.ts';
import { MappedSegmentFiles } from '../files/mapped-segment-files.ts';
import { openQueryWorker } from '../query-worker.ts';
import { openStreamingWorker } from '../streaming-worker.ts';
import { collectionFixture, SteppingTimestamps } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { readTask } from '../testing/open-workers.ts';
import { QuickClock } from '../testing/quick-clock.ts';
import { TestSegmentCatalog } from '../testing/test-files.ts';
import { IndexFiles } from './index-files.ts';
import { openIndexWorker } from './index-worker.ts';

const DIM = 16;
const ROWS = 1_000;
const EVERY_LIST = { probes: 65_536, probesMax: 65_536, emptyListsMax: 0 };
const vector = fieldFixture(101, 'vector', DataType.FloatVector, { dim: DIM, nullable: true });
const words = fieldFixture(102, 'words', DataType.SparseFloatVector, { nullable: true });
const schema = schemaFixture([
  fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }),
  vector,
  words,
]);
const collection = collectionFixture({ schema, shards: 1, partitions: 1 });
const INDEX: IndexInfo = {
  id: 900n as IndexId,
  collectionId: collection.id,
  fieldId: 101 as FieldId,
  name: 'vector',
  indexType: 'HNSW',
  metricType: 'L2',
  params: [{ key: 'graph_layout', value: 'compact' }],
  createdTimestamp: 1n as Timestamp,
};

const LISTS: IndexInfo = { ...INDEX, indexType: 'IVF_FLAT', params: [{ key: 'nlist', value: '16' }] };

const SPARSE: IndexInfo = {
  ...INDEX,
  fieldId: words.id,
  name: 'words',
  indexType: 'SPARSE_INVERTED_INDEX',
  metricType: 'IP',
  params: [],
};

/** What outlives a process, and the processes that use it one after the other. */
class Deployment {
  readonly catalog = new TestSegmentCatalog();
  readonly directory: string;
  /** Of the process that runs. */
  builds = 0;
  opened: (IndexOpen | undefined)[] = [];
  readonly errors: string[] = [];
  readonly #log = new FakeMessageLog();
  readonly #timestamps = new SteppingTimestamps();
  readonly #random = seededRandom(3);

  readonly #index: IndexInfo;

  constructor(directory: string, index: IndexInfo) {
    this.directory = directory;
    this.#index = index;
  }

  async start() {
    this.builds = 0;
    this.opened = [];
    const disk = new NodeDisk();
    const clock = new QuickClock();
    const store = await openObjectStore(
      { type: 'local', directory: this.directory },
      { clock: systemClock, random: this.#random, disk },
    );
    const cacheDirectory = join(this.directory, 'none');
    const files = await openObjectFiles({ store, disk, cacheDirectory, cacheBytesMax: 0 });
    const logger = { ...silentLogger, error: (_: object, message: string) => this.errors.push(message) };
    const verifier = new FileVerifier({ files, disk, clock, logger, metrics: noMetrics });
    const streaming = openStreamingWorker({
      log: this.#log,
      store,
      files: new MappedSegmentFiles(files, verifier),
      catalog: this.catalog,
      timestamps: this.#timestamps,
      clock,
      random: this.#random,
      logger,
      metrics: noMetrics,
    });
    await streaming.openCollection(collection);
    await streaming.recover([collection]);
    const kernel = loadKernel();
    const { collections, share } = streaming;
    const indexing = openIndexWorker({
      collections,
      share,
      kernel: {
        threads: 2,
        buildIndex: (build) => {
          this.builds += 1;
          return kernel.buildIndex(build);
        },
      },
      clock,
      logger,
      metrics: noMetrics,
      buildsMax: 1,
      limits: { rowsMin: 500 },
      indexFiles: new IndexFiles({
        store,
        files,
        catalog: this.catalog,
        kernel: {
          openIndex: (path, options) => {
            this.opened.push(options);
            return kernel.openIndex(path, options);
          },
        },
        disk,
        logger,
      }),
    });
    await indexing.openIndex(this.#index);
    const query = openQueryWorker({ collections, share, kernel });
    const stop = async (): Promise<void> => {
      await indexing[Symbol.asyncDispose]();
      await streaming[Symbol.asyncDispose]();
      await verifier[Symbol.asyncDispose]();
    };
    return { streaming, indexing, query, stop };
  }

  get indexPath(): string {
    const [info] = this.catalog.indexFiles.values();
    return join(this.directory, info!.file.key);
  }
}

type Process = Awaited<ReturnType<Deployment['start']>>;

async function withDeployment(
  index: IndexInfo,
  work: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-index-files-'));
  await work(new Deployment(directory, index)).finally(() => rm(directory, { recursive: true }));
}

async function fill({ streaming }: Process): Promise<void> {
  const keys = Array.from({ length: ROWS }, (_, i) => BigInt(i));
  const part = {
    channel: collection.channels[0]!,
    partitionId: collection.partitions[0]!.id,
    batch: randomBatch(schema, keys, seededRandom(7)),
  };
  await streaming.write({ kind: 'insert', collection, parts: [part] });
  await streaming.flush(collection.id);
}

/** The nearest keys to the first rows' vectors, by the index or by looking at all rows. */
async function nearest({ query }: Process, by: 'index' | 'comparison'): Promise<unknown> {
  const rows = randomBatch(schema, [0n, 1n, 2n, 3n], seededRandom(5)).columns.get(vector.id)!;
  const hits = await query.search({
    ...readTask(collection),
    field: vector,
    metric: 'L2',
    queries: {
      dataType: DataType.FloatVector,
      dim: DIM,
      count: 4,
      bytes: (rows as { bytes: Uint8Array }).bytes,
      offsets: null,
    },
    limit: 10,
    radius: null,
    rangeFilter: null,
    walk: by === 'index' ? { ef: ROWS, refineK: 1, lists: EVERY_LIST } : null,
    sparse: { bm25: null, dropRatio: 0 },
  });
  return { keys: keysOf(hits.keys), scores: [...hits.scores] };
}

/** The best keys for the first rows' sparse vectors, by the index. */
async function bestBySparse({
  query,
}: Process): Promise<{ keys: readonly unknown[]; scores: readonly number[] }> {
  const rows = randomBatch(schema, [0n, 1n, 2n, 3n], seededRandom(5)).columns.get(words.id)!;
  const { bytes, offsets } = rows as SparseVectorColumn;
  const hits = await query.search({
    ...readTask(collection),
    field: words,
    metric: 'IP',
    queries: {
      dataType: DataType.SparseFloatVector,
      dim: null,
      count: 4,
      bytes,
      offsets: offsets.subarray(0, 5),
    },
    limit: 10,
    radius: null,
    rangeFilter: null,
    walk: { ef: ROWS, refineK: 1, lists: EVERY_LIST },
    sparse: { bm25: null, dropRatio: 0 },
  });
  return { keys: keysOf(hits.keys), scores: [...hits.scores] };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

describe('an index over rows of sealed segments', () => {
  it('of sparse vectors is used from its file, and gives its memory back', () =>
    withDeployment(SPARSE, async (deployment) => {
      const first = await deployment.start();
      await fill(first);
      await until(() => deployment.opened.length === 1);
      const expected = await bestBySparse(first);
      assert.ok(expected.keys.length > 0);
      await first.stop();

      const second = await deployment.start();
      await until(() => second.indexing.mappedIndexes(collection.id).length === 1);
      assert.equal(deployment.builds, 0);
      assert.deepEqual(await bestBySparse(second), expected);
      const [mapped] = second.indexing.mappedIndexes(collection.id);
      assert.ok(mapped!.bytes > 0);
      const before = mapped!.piece.index as VectorIndex;
      const searching = bestBySparse(second);
      await mapped!.giveBack();
      assert.notEqual(mapped!.piece.index, before);
      assert.deepEqual(await searching, expected);
      assert.deepEqual(await bestBySparse(second), expected);
      await second.stop();
      assert.deepEqual(deployment.errors, []);
    }));

  for (const index of [INDEX, LISTS]) {
    it(`is in a file that leaves the vectors where they are, and is used from there after a start: ${index.indexType}`, () =>
      withDeployment(index, async (deployment) => {
        const first = await deployment.start();
        await fill(first);
        await until(() => deployment.opened.length === 1);
        const expected = await nearest(first, 'comparison');
        assert.deepEqual(await nearest(first, 'index'), expected);
        await first.stop();
        const [info] = deployment.catalog.indexFiles.values();
        const points = [{ ef: 12, recall: 0.98, standardError: 0.002, isScanned: false }];
        const recalls = [{ hits: 10, halvings: 0, margin: 0.001, points }];
        await deployment.catalog.keepRecalls(info!, recalls);
        assert.deepEqual(
          info!.runs.map(({ from, to }) => [from, to]),
          [[0, ROWS]],
        );
        assert.equal(deployment.opened[0]!.vectors![0]!.rows, ROWS);

        const second = await deployment.start();
        await until(() => deployment.opened.length === 1);
        assert.deepEqual(await nearest(second, 'index'), expected);
        assert.equal(deployment.builds, 0);
        await until(() => second.indexing.mappedIndexes(collection.id).length === 1);
        const [mapped] = second.indexing.mappedIndexes(collection.id);
        const { known } = (mapped!.piece as IndexedPiece).recalls;
        assert.deepEqual(known, recalls, 'what was measured of it serves again');
        const before = mapped!.piece.index as VectorIndex;
        const searching = nearest(second, 'index');
        await mapped!.giveBack();
        assert.notEqual(mapped!.piece.index, before);
        assert.throws(() => before.searchSync({} as never), /closed/);
        assert.deepEqual(await searching, expected);
        assert.deepEqual(await nearest(second, 'index'), expected);
        await second.stop();
        assert.deepEqual(deployment.errors, []);
      }));

    it(`is built anew, and reported, when the background finds its file damaged: ${index.indexType}`, () =>
      withDeployment(index, async (deployment) => {
        const first = await deployment.start();
        await fill(first);
        await until(() => deployment.opened.length === 1);
        const expected = await nearest(first, 'comparison');
        await first.stop();
        const damaged = deployment.indexPath;
        await using handle = await open(damaged, 'r+');
        const { size } = await handle.stat();
        // In the last, large sections: not in what an opening looks at, nor in the zeros between two sections.
        await handle.write(new Uint8Array(64).fill(0xa5), 0, 64, Math.floor((3 * size) / 4));

        const second = await deployment.start();
        await until(() => deployment.builds === 1 && deployment.indexPath !== damaged);
        await until(() => deployment.opened.length === 2);
        assert.deepEqual(await nearest(second, 'index'), expected);
        assert.ok(deployment.errors.some((message) => message.includes('index file is damaged')));
        await second.stop();
      }));
  }
});
