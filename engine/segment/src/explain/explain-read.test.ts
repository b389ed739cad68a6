import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePredicate, planFilter } from '@elanus/expr';
import { loadKernel } from '@elanus/kernel';
import {
  DataType,
  type DenseVectorColumn,
  type FieldId,
  type PartitionId,
  type SegmentId,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { ExplainLevel, ReadExplanation } from '@elanus/rpc';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import { FilterCache } from '../filter/filter-cache.ts';
import { queryShards } from '../query-shards.ts';
import type { Read } from '../read.ts';
import { ScalarIndexes } from '../scalar-index/scalar-indexes.ts';
import { searchShards, type VectorSearch } from '../search-shards.ts';
import { Shard } from '../shard.ts';
import { ExactVectorIndex } from '../testing/exact-vector-index.ts';
import { randomBatch } from '../testing/random-rows.ts';
import { VectorCoder } from '../vector-coder.ts';
import { vectorsOf } from '../vector-index/piece-vectors.ts';
import { explainRead } from './explain-read.ts';
import { ReadTrace } from './read-trace.ts';

const VECTOR = 102 as FieldId;
const field = fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: 4 });
const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int32),
  field,
]);
const ROWS = 6000;
const kernel = loadKernel();
const tools = { kernel, coder: new VectorCoder(kernel) };
const share = new LoopShare(systemClock);
const search: VectorSearch = {
  field,
  metric: 'L2',
  queries: {
    dataType: DataType.FloatVector,
    dim: 4,
    count: 1,
    bytes: new Uint8Array(Float32Array.of(0.1, 0, 0, 0).buffer),
    offsets: null,
  },
  limit: 10,
  radius: null,
  rangeFilter: null,
  walk: { ef: 64, refineK: 1 },
};

async function filledShard(): Promise<Shard> {
  const shard = new Shard({ segmentId: 9n as SegmentId, schema, seed: 1, share });
  const keys = Array.from({ length: ROWS }, (_, id) => BigInt(id));
  const batch = randomBatch(schema, keys, seededRandom(1));
  // No two rows are as near to the query.
  const vectors = new Float32Array((batch.columns.get(VECTOR) as DenseVectorColumn).bytes.buffer);
  for (let row = 0; row < ROWS; row++) vectors.set([row / 64, 0, 0, 0], 4 * row);
  const parts = [{ partitionId: 1n as PartitionId, batch }];
  const write = await shard.prepare({ kind: 'insert', duplicates: 'replace', parts }, 10n as Timestamp);
  write!.publish();
  return shard;
}

/** An index that finds all rows but those that `hides` says. */
function buildIndex(shard: Shard): void {
  shard.vectorIndexes.open(field, { rowsMin: 1024 });
  const [index] = shard.vectorIndexes.of(VECTOR);
  const planned = index!.nextPiece()!;
  index!.adopt(planned, new ExactVectorIndex({ ...vectorsOf(planned), metric: 'L2' }), null);
}

function readOf(shard: Shard, filter: string | null, level: ExplainLevel | null): Read {
  let nowMs = 0;
  const predicate = filter === null ? null : planFilter(filter, schema);
  const selection =
    predicate === null ? null : { keys: null, matches: compilePredicate(predicate), predicate };
  const tracing = level === null ? null : new ReadTrace(level, () => ++nowMs);
  return {
    shards: [shard],
    scope: { partitionIds: null, at: 100n as Timestamp },
    selection,
    filters: { cache: new FilterCache(0), indexes: new ScalarIndexes(), threads: null },
    share,
    trace: tracing,
  };
}

async function explained(
  shard: Shard,
  filter: string | null,
  { level = 'explain', asked = search }: { level?: ExplainLevel; asked?: VectorSearch } = {},
): Promise<ReadExplanation> {
  const read = readOf(shard, filter, level);
  await searchShards(read, asked, tools, DataType.Int64);
  return await explainRead(read, read.trace!, { kind: 'search', target: null });
}

describe('the explanation of a read', () => {
  it('says that rows without an index are compared one by one', async () => {
    const { parts } = await explained(await filledShard(), null);
    const { search: part, ...rest } = parts[0]!;
    assert.deepEqual(rest, { segmentIds: [9n], partitionId: 1n, state: 'growing', rows: ROWS, filter: null });
    assert.deepEqual(part, {
      strategy: 'exact scan',
      why: 'there is no index over these rows',
      ef: null,
      candidates: ROWS,
      distances: ROWS,
      bytesRead: 16 * ROWS,
      hits: 10,
    });
  });

  it('says what an index did, and why rows that have one are scanned', async () => {
    const shard = await filledShard();
    buildIndex(shard);
    const walked = await explained(shard, null);
    assert.deepEqual(
      walked.parts.map(({ search: part }) => [part?.strategy, part?.ef, part?.hits]),
      [['index walk', 64, 10]],
    );
    const few = await explained(shard, 'id < 500');
    assert.equal(few.parts[0]!.search!.why, '500 rows are left: so few are compared one by one');
    assert.equal(few.parts[0]!.search!.candidates, 500);
    const wide = await explained(shard, null, { asked: { ...search, walk: { ef: 4000, refineK: 1 } } });
    assert.match(wide.parts[0]!.search!.why, /keep 4000 of \d+ rows in view/);
    const complete = await explained(shard, null, { asked: { ...search, walk: null } });
    assert.match(complete.parts[0]!.search!.why, /has to be complete/);
    for (const { parts } of [few, wide, complete])
      assert.deepEqual(new Set(parts.map(({ search: part }) => part!.strategy)), new Set(['exact scan']));
  });

  it('tells the true share of a filter beside the estimated one', async () => {
    const { parts, filterBytes } = await explained(await filledShard(), 'id < 1500');
    const { filter } = parts[0]!;
    assert.equal(filter!.actual, 0.25);
    assert.ok(Math.abs(filter!.estimated! - 0.25) < 0.1, `estimated ${filter!.estimated}`);
    assert.deepEqual(filter!.ways, ['scan']);
    assert.equal(filterBytes, 8 * ROWS);
  });

  it('leaves no time out: each stage begins where the one before ended', async () => {
    const { stages } = await explained(await filledShard(), 'id < 1500', { level: 'analyze' });
    // The clock goes on by one with each look at it.
    assert.deepEqual(
      stages,
      ['open', 'filter', 'search', 'collect', 'analyze'].map((stage) => ({ stage, ms: 1 })),
    );
  });

  it('finds a recall of 1 where every row was compared', async () => {
    const { analysis } = await explained(await filledShard(), null, { level: 'analyze' });
    assert.deepEqual([...analysis!.recalls], [1]);
    assert.deepEqual(analysis!.missed, []);
  });

  it('names the rows that an index has missed', async () => {
    const shard = await filledShard();
    buildIndex(shard);
    const read = readOf(shard, null, null);
    const { keys } = await searchShards(read, { ...search, walk: null }, tools, DataType.Int64);
    const best = (keys as { readonly values: BigInt64Array }).values[0]!;
    const { index } = shard.vectorIndexes.of(VECTOR)[0]!.pieces[0]!;
    (index as ExactVectorIndex).hiddenRows.add(Number(best));
    const { analysis } = await explained(shard, null, { level: 'analyze' });
    assert.ok(Math.abs(analysis!.recalls[0]! - 0.9) < 1e-6);
    assert.equal(analysis!.missed.length, 1);
    assert.deepEqual([...(analysis!.missedKeys as { values: BigInt64Array }).values], [best]);
  });

  it('of a query tells how its rows were found', async () => {
    const shard = await filledShard();
    const read = readOf(shard, 'id < 600', 'explain');
    await queryShards(read, { limit: 5, offset: 0 }, DataType.Int64);
    const { parts, analysis } = await explainRead(read, read.trace!, { kind: 'query', target: null });
    assert.equal(analysis, null);
    assert.deepEqual(
      parts.map(({ rows, filter, search: part }) => [rows, filter!.actual, filter!.ways, part]),
      [[ROWS, 0.1, ['scan'], null]],
    );
  });
});
