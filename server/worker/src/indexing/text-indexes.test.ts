import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { planFilter } from '@elanus/expr';
import { openAnalyzer } from '@elanus/functions';
import { loadKernel } from '@elanus/kernel';
import { type Column, DataType, type SegmentId, textIndexId } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { openObjectFiles, openObjectStore } from '@elanus/object-store';
import { NodeDisk, noMetrics, seededRandom, silentLogger, systemClock } from '@elanus/runtime';
import { keyColumn, keysOf } from '@elanus/segment/testing';
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

const ROWS = 300;
const WORDS = ['red', 'kite', 'box', 'field', 'water', 'open'];
const text = fieldFixture(101, 'text', DataType.VarChar, {
  typeParams: [
    { key: 'enable_analyzer', value: 'true' },
    { key: 'enable_match', value: 'true' },
  ],
});
const schema = schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }), text]);
const collection = collectionFixture({ schema, shards: 1, partitions: 1 });
const analyzer = await openAnalyzer('');

function textOf(key: number): string {
  return WORDS.filter((_, at) => (key * 7 + at * at) % (at + 2) === 0).join(' ');
}

/** What outlives a process, and the processes that use it one after the other. */
class Deployment {
  readonly catalog = new TestSegmentCatalog();
  readonly directory: string;
  readonly errors: string[] = [];
  readonly #log = new FakeMessageLog();
  readonly #timestamps = new SteppingTimestamps();
  readonly #random = seededRandom(3);

  constructor(directory: string) {
    this.directory = directory;
  }

  async start() {
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
    const shared = { clock, logger, metrics: noMetrics, random: this.#random };
    const streaming = openStreamingWorker({
      ...shared,
      log: this.#log,
      store,
      files: new MappedSegmentFiles(files, verifier),
      catalog: this.catalog,
      timestamps: this.#timestamps,
    });
    await streaming.openCollection(collection);
    await streaming.recover([collection]);
    const kernel = loadKernel();
    const { collections, share } = streaming;
    const indexFiles = new IndexFiles({ store, files, catalog: this.catalog, kernel, disk, logger });
    const indexing = openIndexWorker({ ...shared, collections, share, kernel, buildsMax: 1, indexFiles });
    const query = openQueryWorker({ collections, share, kernel });
    const stop = async (): Promise<void> => {
      await indexing[Symbol.asyncDispose]();
      await streaming[Symbol.asyncDispose]();
      await verifier[Symbol.asyncDispose]();
    };
    return { streaming, indexing, query, stop };
  }

  get indexFiles() {
    return [...this.catalog.indexFiles.values()];
  }
}

type Process = Awaited<ReturnType<Deployment['start']>>;

async function withDeployment(work: (deployment: Deployment) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-text-indexes-'));
  await work(new Deployment(directory)).finally(() => rm(directory, { recursive: true }));
}

async function insert({ streaming }: Process, first: number, count: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, i) => BigInt(first + i));
  const texts = keys.map((key) => textOf(Number(key)));
  const offsets = new Uint32Array(count + 1);
  for (const [at, { length }] of texts.entries()) offsets[at + 1] = offsets[at]! + length;
  const bytes = Buffer.from(texts.join(''));
  const column: Column = { dataType: DataType.VarChar, length: count, validity: null, offsets, bytes };
  const part = {
    channel: collection.channels[0]!,
    partitionId: collection.partitions[0]!.id,
    batch: {
      length: count,
      columns: new Map([
        [schema.primaryKey.id, keyColumn(keys, DataType.Int64)],
        [text.id, column],
      ]),
    },
  };
  await streaming.write({ kind: 'insert', collection, parts: [part] });
}

/** The keys that the filter finds; fails unless they are those of the rows that have both words. */
async function assertFound({ query }: Process, rows: number): Promise<void> {
  const filter = 'text_match(text, "kite box", minimum_should_match=2)';
  const wordsOf = (_: unknown, words: string) => analyzer.analyze(words);
  const predicate = planFilter(filter, schema, undefined, { wordsOf })!;
  const found = await query.query({
    ...readTask(collection, { filter: predicate }),
    limit: null,
    offset: 0,
  });
  const hasBoth = (key: number) => textOf(key).includes('kite') && textOf(key).includes('box');
  const expected = Array.from({ length: rows }, (_, key) => key).filter(hasBoth);
  assert.ok(expected.length > 10);
  assert.deepEqual(keysOf(found.keys).map(Number), expected);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

describe('the words of a field that filters may ask for', () => {
  it('are in a file for each sealed segment, used from there after a start, and made anew with merged segments', () =>
    withDeployment(async (deployment) => {
      const first = await deployment.start();
      await insert(first, 0, ROWS);
      await assertFound(first, ROWS);
      await first.streaming.flush(collection.id);
      await until(() => deployment.indexFiles.length === 1);
      await insert(first, ROWS, ROWS);
      await first.streaming.flush(collection.id);
      await until(() => first.indexing.mappedIndexes(collection.id).length === 2);
      await insert(first, 2 * ROWS, 7);
      await assertFound(first, 2 * ROWS + 7);
      for (const { indexId, fieldId, rows } of deployment.indexFiles) {
        assert.deepEqual([indexId, fieldId, rows], [textIndexId(text.id), text.id, ROWS]);
      }
      await first.stop();

      const before = deployment.indexFiles;
      const second = await deployment.start();
      await assertFound(second, 2 * ROWS + 7);
      const mapped = second.indexing.mappedIndexes(collection.id);
      assert.equal(mapped.length, 2);
      for (const index of mapped) await index.giveBack();
      await assertFound(second, 2 * ROWS + 7);
      assert.deepEqual(deployment.indexFiles, before, 'none was made anew');

      await second.streaming.flush(collection.id);
      const ticket = await second.streaming.compact(collection.id, { partitionId: null, bytesMax: null });
      await until(() => second.streaming.compaction(ticket.id).executing === 0);
      await assertFound(second, 2 * ROWS + 7);
      const isNew = (id: SegmentId) => before.every((old) => old.id !== id);
      const newRows = () =>
        deployment.indexFiles.reduce((sum, { id, rows }) => sum + (isNew(id) ? rows : 0), 0);
      await until(() => newRows() === 2 * ROWS + 7);
      assert.ok(deployment.indexFiles.every(({ id }) => isNew(id)));
      await assertFound(second, 2 * ROWS + 7);
      await second.stop();
      assert.deepEqual(deployment.errors, []);
    }));

  it('are cut anew, and that is reported, when their file is damaged', () =>
    withDeployment(async (deployment) => {
      const first = await deployment.start();
      await insert(first, 0, ROWS);
      await first.streaming.flush(collection.id);
      await until(() => first.indexing.mappedIndexes(collection.id).length === 1);
      await first.stop();
      const [damaged] = deployment.indexFiles;
      await using handle = await open(join(deployment.directory, damaged!.file.key), 'r+');
      await handle.write(new Uint8Array(8).fill(0xa5), 0, 8, damaged!.file.bytes - 72);

      const second = await deployment.start();
      await assertFound(second, ROWS);
      await until(() => second.indexing.mappedIndexes(collection.id).length === 1);
      assert.notEqual(deployment.indexFiles[0]!.id, damaged!.id);
      assert.equal(deployment.indexFiles.length, 1);
      await assertFound(second, ROWS);
      assert.ok(deployment.errors.some((message) => message.includes('built anew')));
      await second.stop();
    }));
});
