import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadKernel } from '@elanus/kernel';
import {
  DataType,
  type FieldId,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, type Random, seededRandom, systemClock } from '@elanus/runtime';
import type { Read, RowSelection } from '../read.ts';
import { searchShards, type VectorSearch } from '../search-shards.ts';
import { Shard } from '../shard.ts';
import { ExactVectorIndex } from '../testing/exact-vector-index.ts';
import { keyColumn, keysOf, randomBatch } from '../testing/random-rows.ts';
import { VectorCoder } from '../vector-coder.ts';
import { presentRows, vectorsOf } from './piece-vectors.ts';
import { type PlannedPiece, rowsBuiltInAnyCase, type SegmentIndex } from './segment-index.ts';

const DIM = 8;
const ROWS_MIN = 512;
/** So short that nothing but the sizes of pieces counts. */
const REST_MS = 1;
const VECTOR = 101 as FieldId;
const vectorField = fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: DIM, nullable: true });
/** A vector that nobody searches makes the rows long, so that chunks are short. */
const padding = fieldFixture(102, 'padding', DataType.FloatVector, { dim: 2048 });
const schema = schemaFixture([
  fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }),
  vectorField,
  padding,
]);
const PARTITIONS = [1n, 2n] as readonly bigint[] as readonly PartitionId[];
const share = new LoopShare(systemClock);
const kernel = loadKernel();
const tools = { kernel, coder: new VectorCoder(kernel) };

class Fixture {
  readonly shard: Shard;
  /** One list for all reads, as a worker has it: what a read finds is remembered for it. */
  readonly shards: readonly Shard[];
  readonly random: Random;
  readonly built: ExactVectorIndex[] = [];
  #time = 0n;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.shard = new Shard({ segmentId: 1n as SegmentId, schema, seed, share });
    this.shards = [this.shard];
    this.shard.vectorIndexes.open(vectorField, { rowsMin: ROWS_MIN });
  }

  get now(): Timestamp {
    return this.#time as Timestamp;
  }

  async insert(first: number, count: number, partitionId = PARTITIONS[0]!): Promise<void> {
    const keys = Array.from({ length: count }, (_, i) => BigInt(first + i));
    const batch = randomBatch(schema, keys, this.random);
    await this.#write({ kind: 'upsert', duplicates: 'replace', parts: [{ partitionId, batch }] });
  }

  /** Rows of which every second one has the vector 0. */
  async insertSame(keys: readonly number[]): Promise<void> {
    const batch = randomBatch(schema, keys.map(BigInt), this.random);
    const vectors = Float32Array.from({ length: DIM * keys.length }, (_, at) =>
      Math.floor(at / DIM) % 2 === 0 ? 0 : 5 + at,
    );
    const bytes = new Uint8Array(vectors.buffer);
    const column = {
      dataType: DataType.FloatVector,
      dim: DIM,
      length: keys.length,
      validity: null,
      bytes,
    } as const;
    const columns = new Map(batch.columns).set(VECTOR, column);
    await this.#write({
      kind: 'upsert',
      duplicates: 'replace',
      parts: [{ partitionId: PARTITIONS[0]!, batch: { ...batch, columns } }],
    });
  }

  async delete(keys: readonly number[]): Promise<void> {
    const part = { partitionIds: null, keys: keyColumn(keys.map(BigInt), DataType.Int64) };
    await this.#write({ kind: 'delete', duplicates: 'replace', parts: [part] });
  }

  async #write(record: Parameters<Shard['prepare']>[0]): Promise<void> {
    this.#time += 10n;
    (await this.shard.prepare(record, this.now))!.publish();
  }

  index(partition = PARTITIONS[0]!): SegmentIndex {
    return this.shard.vectorIndexes.find(VECTOR, partition)!;
  }

  plan(partition = PARTITIONS[0]!): PlannedPiece | null {
    return this.index(partition).nextPiece();
  }

  build(planned: PlannedPiece): ExactVectorIndex {
    const index = new ExactVectorIndex({ metric: 'L2', ...vectorsOf(planned) });
    this.built.push(index);
    return index;
  }

  async buildAll(): Promise<void> {
    for (const index of this.shard.vectorIndexes.of(VECTOR))
      for (let planned = index.nextPiece(); planned !== null; planned = index.nextPiece())
        await this.adopt(index, planned);
  }

  async adopt(index: SegmentIndex, planned: PlannedPiece, built = this.build(planned)): Promise<void> {
    index.adopt(planned, built, await presentRows(planned, share));
  }

  pieces(): readonly number[] {
    return this.index().pieces.map(({ rows }) => rows);
  }

  /** For vectors of zeros unless told otherwise. */
  search(count: number, vectors = new Float32Array(count * DIM)): VectorSearch {
    const bytes = new Uint8Array(vectors.buffer);
    return {
      field: vectorField,
      metric: 'L2',
      queries: { dataType: DataType.FloatVector, dim: DIM, count, bytes, offsets: null },
      limit: 1,
      radius: null,
      rangeFilter: null,
      walk: null,
    };
  }

  read(scope: Partial<Read['scope']> = {}, selection: RowSelection | null = null): Read {
    return {
      shards: this.shards,
      scope: { partitionIds: null, at: TIMESTAMP_MAX, ...scope },
      selection,
      share,
    };
  }

  /** Keys and scores of a search by the indexes, which must be those of a scan. */
  async assertSameHits(scope: Partial<Read['scope']>, selection: RowSelection | null, context: string) {
    const vectors = Float32Array.from({ length: 3 * DIM }, () => this.random.below(5) - 2);
    const search = { ...this.search(3, vectors), limit: 40 };
    const read = this.read(scope, selection);
    const wanted = await searchShards(read, search, tools, DataType.Int64);
    const got = await searchShards(read, { ...search, walk: { ef: 64, refineK: 1 } }, tools, DataType.Int64);
    assert.deepEqual([...got.counts], [...wanted.counts], context);
    assert.deepEqual([...got.scores], [...wanted.scores], context);
    // The index is asked for the nearest rows, whatever their keys: equal scores at the end of a list may be other rows.
    const last = (hits: typeof got, query: number) =>
      [...hits.scores].slice(40 * query, 40 * query + 40).at(-1);
    const certain = (hits: typeof got) =>
      keysOf(hits.keys).filter((_, i) => hits.scores[i] !== last(hits, Math.floor(i / 40)));
    assert.deepEqual(certain(got), certain(wanted), context);
  }
}

describe('the indexes of a segment', () => {
  it('find what a scan finds, through inserts, deletions, filters, nulls and earlier moments', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const fixture = new Fixture(seed);
      const { random } = fixture;
      const moments: Timestamp[] = [];
      for (let round = 0; round < 12; round++) {
        const partition = PARTITIONS[random.below(2)]!;
        await fixture.insert(random.below(8000), 100 + random.below(1500), partition);
        if (random.chance(0.5)) await fixture.delete(Array.from({ length: 200 }, () => random.below(9000)));
        if (random.chance(0.7)) await fixture.buildAll();
        moments.push(fixture.now);
        const context = `seed ${seed}, round ${round}`;
        await fixture.assertSameHits({}, null, context);
        await fixture.assertSameHits({}, null, `${context}, again`);
        const at = moments[random.below(moments.length)]!;
        await fixture.assertSameHits({ at }, null, `${context}, at ${at}`);
        await fixture.assertSameHits({ partitionIds: new Set([partition]) }, null, `${context}, partition`);
        const share = 0.05 + 0.9 * random.float();
        const matches: RowSelection['matches'] = (_, start, end, out) => {
          for (let row = start; row < end; row++)
            out[row - start] = ((row * 7919) % 1000) / 1000 < share ? 1 : 0;
        };
        await fixture.assertSameHits({}, { keys: null, matches }, `${context}, filter`);
      }
      const searches = fixture.built.reduce((sum, index) => sum + index.searches, 0);
      assert.ok(searches > 20, `seed ${seed}: ${fixture.built.length} indexes, ${searches} searches`);
    }
  });

  it('begin when there are enough rows, and stay few', async () => {
    const fixture = new Fixture(7);
    await fixture.insert(0, ROWS_MIN - 1);
    assert.equal(fixture.plan(), null);
    let most = 0;
    for (let round = 0; round < 64; round++) {
      await fixture.insert(1_000_000 + 520 * round, 520);
      await fixture.buildAll();
      most = Math.max(most, fixture.pieces().length);
    }
    assert.ok(most <= 6, `${most} pieces`);
    assert.equal(fixture.built.filter(({ isClosed }) => !isClosed).length, fixture.pieces().length);
    const rows = fixture.built.reduce((sum, index) => sum + index.rows, 0);
    assert.ok(rows < 4 * 64 * 520, `${rows} rows built for ${64 * 520}`);
  });

  it('leave the rows before alone while more stream in, but for few', async () => {
    const fixture = new Fixture(11);
    let written = 0;
    const sizes = async (rows: number): Promise<readonly number[]> => {
      await fixture.insert(written, rows);
      await fixture.buildAll();
      written += rows;
      return fixture.pieces();
    };
    assert.deepEqual(await sizes(600), [600]);
    assert.deepEqual(await sizes(4000), [4600]);
    assert.deepEqual(await sizes(4000), [4600, 4000]);
    assert.deepEqual(await sizes(4800), [4600, 4000, 4800]);
    assert.deepEqual(await sizes(4000), [17_400]);
  });

  it('become one when writes are at rest', async () => {
    const fixture = new Fixture(10);
    await fixture.insert(0, ROWS_MIN - 8);
    assert.equal(fixture.index().nextPiece(REST_MS), null);
    for (const rows of [6000, 2400, 900, 100]) {
      await fixture.insert(100_000 * rows, rows);
      await fixture.buildAll();
    }
    assert.equal(fixture.pieces().length, 3);
    const index = fixture.index();
    const planned = index.nextPiece(REST_MS)!;
    await fixture.adopt(index, planned);
    assert.equal(fixture.pieces().length, 1);
    assert.equal(index.nextPiece(REST_MS), null);
    await fixture.assertSameHits({}, null, 'at rest');
  });

  it('become one, whatever their sizes, when writes have rested for as long as that takes', async () => {
    const fixture = new Fixture(12);
    for (const [first, rows] of [
      [0, 6400],
      [10_000, 600],
      [20_000, 80],
    ] as const) {
      await fixture.insert(first, rows);
      await fixture.buildAll();
    }
    assert.deepEqual(fixture.pieces(), [6400, 600]);
    const index = fixture.index();
    assert.equal(index.nextPiece(349), null);
    const planned = index.nextPiece(350)!;
    assert.deepEqual([planned.rows, planned.newRows, planned.replaced.length], [7080, 80, 2]);
    await fixture.adopt(index, planned);
    assert.equal(index.nextPiece(3_600_000), null);
    await fixture.assertSameHits({}, null, 'after a long rest');
  });

  it('are not built anew for few rows when they are millions, however long writes rest', () => {
    const rests: readonly (readonly [restMs: number, rows: number])[] = [
      [0, 0],
      [5_000, 100_000],
      [100_000, 2_000_000],
      [86_400_000, 2_000_000],
    ];
    for (const [restMs, rows] of rests) assert.equal(rowsBuiltInAnyCase(restMs), rows, `after ${restMs} ms`);
  });

  it('count rows as waiting only while they are enough for an index, up to the time asked', async () => {
    const fixture = new Fixture(8);
    await fixture.insert(0, 500);
    assert.equal(fixture.shard.rowsToIndex(VECTOR, TIMESTAMP_MAX), 0);
    const before = fixture.now;
    await fixture.insert(500, 700);
    assert.equal(fixture.shard.rowsToIndex(VECTOR, TIMESTAMP_MAX), 1200);
    assert.equal(fixture.shard.rowsToIndex(VECTOR, before), 500);
    await fixture.delete(Array.from({ length: 256 }, (_, i) => i));
    assert.ok(fixture.shard.rowsToIndex(VECTOR, TIMESTAMP_MAX) <= 1200);
    const planned = fixture.plan()!;
    const index = fixture.build(planned);
    await fixture.insert(2000, 100);
    await fixture.adopt(fixture.index(), planned, index);
    assert.equal(fixture.shard.rowsToIndex(VECTOR, TIMESTAMP_MAX), 0);
  });

  it('give the same first hits whatever the limit, also where more rows have the same score than are put in order at first', async () => {
    const fixture = new Fixture(10);
    // Written against the order of their keys, every second vector is the same.
    await fixture.insertSame(Array.from({ length: 3000 }, (_, i) => 3000 - i));
    await fixture.buildAll();
    const hits = [10, 64, 65, 400].map(async (limit) => {
      const search = { ...fixture.search(1), limit, walk: { ef: 512, refineK: 1 } };
      return keysOf((await searchShards(fixture.read(), search, tools, DataType.Int64)).keys);
    });
    const [ten, ...others] = await Promise.all(hits);
    assert.equal(ten!.length, 10);
    for (const keys of others) assert.deepEqual(keys.slice(0, 10), ten);
    // The walk has had 512 of the 1,500 equal rows in view, those that were written first.
    assert.deepEqual(
      ten,
      Array.from({ length: 10 }, (_, i) => BigInt(3000 - 2 * 511 + 2 * i)),
    );
  });

  it('are searched once however many hits are wanted, as long as the scores of the last ones differ', async () => {
    const fixture = new Fixture(11);
    await fixture.insertSame(Array.from({ length: 3000 }, (_, i) => i));
    await fixture.buildAll();
    const [index] = fixture.built;
    // Far from the rows that are all the same.
    const query = new Float32Array(DIM).fill(2 ** 12);
    for (const limit of [1, 10, 64, 100, 300]) {
      const before = index!.searches;
      const search = { ...fixture.search(1, query), limit, walk: { ef: 512, refineK: 1 } };
      await searchShards(fixture.read(), search, tools, DataType.Int64);
      assert.equal(index!.searches - before, 1, `${limit} hits`);
    }
  });

  it('are freed with their partition, their field and their rows, also when a build ends later', async () => {
    const fixture = new Fixture(9);
    await fixture.insert(0, 1000);
    await fixture.buildAll();
    await fixture.insert(1000, 1000, PARTITIONS[1]);
    const index = fixture.index(PARTITIONS[1]);
    const planned = index.nextPiece()!;
    const late = fixture.build(planned);
    await fixture.shard.dropPartitions([PARTITIONS[1]!]);
    await fixture.adopt(index, planned, late);
    assert.ok(late.isClosed);
    assert.ok(!fixture.built[0]!.isClosed);
    await fixture.delete(Array.from({ length: 1000 }, (_, i) => i));
    await fixture.insert(5000, 1000);
    await fixture.shard.forgetHistory(TIMESTAMP_MAX);
    await fixture.assertSameHits({}, null, 'after rows were forgotten');
    await fixture.buildAll();
    fixture.shard.vectorIndexes.close(VECTOR);
    assert.ok(fixture.built.every(({ isClosed }) => isClosed));
    await fixture.assertSameHits({}, null, 'without any index');
  });
});
