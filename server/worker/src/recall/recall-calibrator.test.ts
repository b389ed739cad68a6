import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadKernel } from '@elanus/kernel';
import { type CollectionInfo, DataType, type FieldId, type PartitionId, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { SearchHits, SearchTask } from '@elanus/rpc';
import { LoopShare, noMetrics, type Random, seededRandom, silentLogger, systemClock } from '@elanus/runtime';
import { presentRows, type Read, Shard, searchShards, VectorCoder, vectorsOf } from '@elanus/segment';
import type { ServedCollection } from '../served-collection.ts';
import { collectionFixture } from '../testing/collection-fixture.ts';
import { RecallCalibrator } from './recall-calibrator.ts';

const ROWS = 16_384;
const DIM = 24;
const SEED = 7;
const VECTOR = 101 as FieldId;
const field = fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: DIM });
const schema = schemaFixture([fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }), field]);
const collection: CollectionInfo = collectionFixture({ schema, shards: 1, partitions: 1 });
const kernel = loadKernel();
const tools = { kernel, coder: new VectorCoder(kernel) };
const share = new LoopShare(systemClock);
const shard = new Shard({ segmentId: 1n as never, schema, seed: SEED, share });
const random = seededRandom(SEED);
const centres = gaussians(64, random);

function gaussians(rows: number, source: Random): Float32Array {
  const values = new Float32Array(rows * DIM);
  for (let i = 0; i < values.length; i++)
    values[i] = Math.sqrt(-2 * Math.log(1 - source.float())) * Math.cos(2 * Math.PI * source.float());
  return values;
}

/** Vectors around some centres. */
function vectors(rows: number): Float32Array {
  const values = gaussians(rows, random);
  for (let row = 0; row < rows; row++) {
    const centre = random.below(64) * DIM;
    for (let d = 0; d < DIM; d++) values[row * DIM + d]! += centres[centre + d]!;
  }
  return values;
}

function taskFor(queries: Float32Array, more: Partial<SearchTask>): SearchTask {
  return {
    collection,
    partitionIds: null,
    guarantee: 0n as Timestamp,
    snapshot: null,
    filter: null,
    field,
    metric: 'L2',
    queries: {
      dataType: DataType.FloatVector,
      dim: DIM,
      count: queries.length / DIM,
      bytes: new Uint8Array(queries.buffer, queries.byteOffset, queries.byteLength),
      offsets: null,
    },
    limit: 10,
    radius: null,
    rangeFilter: null,
    walk: { ef: 16, refineK: 1 },
    ...more,
  };
}

/** Searches the rows whose key is a multiple of `each`. */
async function search(task: SearchTask, each: number): Promise<Omit<SearchHits, 'readTimestamp'>> {
  const matches = (_: unknown, start: number, end: number, out: Uint8Array) => {
    for (let row = start; row < end; row++) out[row - start] = row % each === 0 ? 1 : 0;
  };
  const selection = each === 1 ? null : { keys: null, matches };
  const read: Read = {
    shards: [shard],
    scope: { partitionIds: null, at: 100n as Timestamp },
    selection,
    share,
  };
  return await searchShards(read, task, tools, DataType.Int64);
}

function keysOfQuery({ counts, keys }: Omit<SearchHits, 'readTimestamp'>, query: number): readonly bigint[] {
  const first = counts.subarray(0, query).reduce((sum, count) => sum + count, 0);
  return [...(keys as { readonly values: BigInt64Array }).values.subarray(first, first + counts[query]!)];
}

function openCalibrator(): RecallCalibrator {
  const served = { info: collection, shards: [shard] } as unknown as ServedCollection;
  return new RecallCalibrator({
    collections: { find: () => served },
    kernel,
    clock: { sleep: async () => {}, monotonicMs: () => 0 },
    random: seededRandom(SEED),
    logger: silentLogger,
    metrics: noMetrics,
  });
}

describe(`searches that name a recall (seed ${SEED})`, () => {
  before(async () => {
    const keys = BigInt64Array.from({ length: ROWS }, (_, id) => BigInt(id));
    const bytes = new Uint8Array(vectors(ROWS).buffer);
    const batch = {
      length: ROWS,
      columns: new Map([
        [100 as FieldId, { dataType: DataType.Int64, length: ROWS, validity: null, values: keys }],
        [VECTOR, { dataType: DataType.FloatVector, dim: DIM, length: ROWS, validity: null, bytes }],
      ]),
    };
    const parts = [{ partitionId: 1n as PartitionId, batch: batch as never }];
    const write = await shard.prepare({ kind: 'insert', duplicates: 'replace', parts }, 10n as Timestamp);
    write!.publish();
    shard.vectorIndexes.open(field, { rowsMin: 1024 });
    const [index] = shard.vectorIndexes.of(VECTOR);
    const planned = index!.nextPiece()!;
    const spec = { type: 'HNSW', m: 6, efConstruction: 24, layout: 'compact' } as const;
    const built = await kernel.buildIndex({ ...vectorsOf(planned), metric: 'L2', spec, threads: 1, seed: 1 });
    index!.adopt(planned, built, await presentRows(planned, share));
  });
  after(() => shard.vectorIndexes.closeAll());

  it('are exact until they are calibrated, and keep the recall with queries nobody has seen', async () => {
    await using calibrator = openCalibrator();
    for (const target of [0.9, 0.98]) {
      for (const each of [1, 2, 8]) {
        const before = taskFor(vectors(100), { recallTarget: target });
        const early = await search(before, each);
        if (target === 0.9) assert.deepEqual(new Set(early.recalls), new Set([1]), 'nothing is known yet');
        calibrator.noteTarget(before);
        await calibrator.settled();
        const heldOut = taskFor(vectors(200), { recallTarget: target });
        const found = await search(heldOut, each);
        const exact = await search({ ...heldOut, walk: null }, each);
        let right = 0;
        for (let query = 0; query < 200; query++) {
          const wanted = new Set(keysOfQuery(exact, query));
          right += keysOfQuery(found, query).filter((key) => wanted.has(key)).length;
        }
        const recall = right / 2000;
        const told = found.recalls![0]!;
        const cell = `${target} of 1/${each}: ${recall}, told ${told}`;
        const [piece] = shard.vectorIndexes.of(VECTOR)[0]!.pieces;
        const wanted = { hits: 10, halvings: Math.log2(each) };
        assert.ok(piece!.recalls.effortFor(wanted, target) !== null, `${cell}: it is calibrated`);
        assert.ok(told >= target, cell);
        assert.ok(recall >= target - 0.01, cell);
        assert.ok(Math.abs(recall - told) < 0.03, cell);
      }
    }
  });

  it('walk further for more', async () => {
    await using calibrator = openCalibrator();
    const queries = vectors(100);
    const [piece] = shard.vectorIndexes.of(VECTOR)[0]!.pieces;
    const wanted = { hits: 10, halvings: 0 };
    calibrator.noteTarget(taskFor(queries, { recallTarget: 0.9 }));
    await calibrator.settled();
    const [low, high] = [0.8, 0.99].map((target) => piece!.recalls.effortFor(wanted, target)!.ef);
    assert.ok(low! < high!, `${low} and ${high}`);
  });

  it('are exact when more hits are wanted than anybody calibrates', async () => {
    const task = taskFor(vectors(2), { recallTarget: 0.9, limit: 2000 });
    const found = await search(task, 1);
    const exact = await search({ ...task, walk: null }, 1);
    assert.deepEqual(found.keys, exact.keys);
    assert.deepEqual([...found.recalls!], [1, 1]);
  });
});
