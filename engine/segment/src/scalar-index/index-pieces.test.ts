import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataType, type PartitionId, type SegmentId, TIMESTAMP_MAX, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import { Shard } from '../shard.ts';
import { keyColumn, randomBatch } from '../testing/index.ts';
import { buildScalarIndex } from './build-scalar-index.ts';
import { blocksOf, ScalarIndexPieces } from './index-pieces.ts';
import { scalarIndexSpec } from './plan-index.ts';

const number = fieldFixture(101, 'number', DataType.Int32);
const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  number,
  // Long rows make short chunks: 1,024 rows.
  fieldFixture(102, 'padding', DataType.FloatVector, { dim: 2000 }),
]);
const spec = scalarIndexSpec({
  indexType: 'STL_SORT',
  field: number,
  steps: null,
  castType: null,
  gramMin: null,
})!;
const PARTITION = 1n as PartitionId;

class Fixture {
  readonly shard = new Shard({
    segmentId: 1n as SegmentId,
    schema,
    seed: 1,
    share: new LoopShare(systemClock),
  });
  readonly pieces = new ScalarIndexPieces(spec.place, { rowsMin: 2048, rowsMax: 100_000 });
  readonly #random = seededRandom(1);
  #time = 0n;
  #rows = 0;

  get views() {
    return this.shard.view({ partitionIds: null, at: TIMESTAMP_MAX });
  }

  async insert(count: number): Promise<Timestamp> {
    const keys = Array.from({ length: count }, (_, i) => BigInt(this.#rows + i));
    this.#rows += count;
    const batch = randomBatch(schema, keys, this.#random);
    return await this.#write([{ partitionId: PARTITION, batch }]);
  }

  async delete(first: number, count: number): Promise<void> {
    const keys = Array.from({ length: count }, (_, i) => BigInt(first + i));
    await this.#write([{ partitionIds: null, keys: keyColumn(keys, DataType.Int64) }]);
  }

  async #write(parts: Parameters<Shard['prepare']>[0]['parts']): Promise<Timestamp> {
    this.#time += 10n;
    const record = { kind: 'insert', duplicates: 'replace', parts } as never;
    (await this.shard.prepare(record, this.#time as Timestamp))!.publish();
    return this.#time as Timestamp;
  }

  /** Builds whatever there is to build; how many pieces that was. */
  build(writes: 'going-on' | 'at-rest' = 'going-on'): number {
    for (let built = 0; ; built++) {
      const planned = this.pieces.nextPiece(this.views, writes);
      if (planned === null) return built;
      this.pieces.adopt(planned, buildScalarIndex(spec, blocksOf(planned, spec.place), 1));
    }
  }

  get sizes(): readonly number[] {
    return this.pieces.pieces.map(({ index }) => index.rows);
  }
}

describe('the pieces of a scalar index', () => {
  it('cover full chunks once there are enough of them, and few rows wait for none', async () => {
    const fixture = new Fixture();
    await fixture.insert(1500);
    assert.equal(fixture.build(), 0);
    assert.equal(fixture.pieces.pendingRows(fixture.views, TIMESTAMP_MAX), 0);
    const before = await fixture.insert(700);
    await fixture.insert(1500);
    assert.equal(fixture.pieces.pendingRows(fixture.views, TIMESTAMP_MAX), 3072);
    assert.equal(fixture.pieces.pendingRows(fixture.views, before), 2200);
    assert.equal(fixture.build(), 1);
    assert.deepEqual(fixture.sizes, [3072]);
    assert.equal(fixture.pieces.pendingRows(fixture.views, TIMESTAMP_MAX), 0);
  });

  it('take in smaller ones, so that there are few, and become fewer at rest', async () => {
    const fixture = new Fixture();
    for (let i = 0; i < 12; i++) {
      await fixture.insert(1024);
      fixture.build();
    }
    assert.ok(fixture.sizes.length <= 4, fixture.sizes.join());
    fixture.build('at-rest');
    assert.equal(fixture.sizes.length, 1);
    assert.ok(fixture.sizes[0]! >= 10 * 1024, 'a chunk alone is not worth another piece');
  });

  it('are let go of with their last chunk', async () => {
    const fixture = new Fixture();
    await fixture.insert(3000);
    fixture.build();
    await fixture.delete(0, 3000);
    await fixture.insert(10);
    assert.equal(fixture.build(), 0);
    assert.deepEqual(fixture.sizes, []);
  });

  it('come back from a file when their rows are numbered alike, however they are cut', async () => {
    const fixture = new Fixture();
    await fixture.insert(5000);
    fixture.build();
    const [piece] = fixture.pieces.pieces;
    const { shard, index } = piece!;
    const chunks = piece!.chunks.map(({ chunk }) => chunk);
    const mapped = new Uint8Array();
    const restored = (blocks: typeof index.blocks): boolean => {
      const pieces = new ScalarIndexPieces(spec.place);
      const isUsed = pieces.restore(shard, chunks, { index: { ...index, blocks }, mapped }, 9n as SegmentId);
      assert.equal(pieces.pieceOf(chunks[0]!)?.file ?? null, isUsed ? 9n : null);
      return isUsed;
    };
    assert.ok(restored(index.blocks));
    assert.ok(restored([{ rows: 4096, firstRow: 0 }]), 'one block was cut into chunks');
    assert.ok(
      restored([
        { rows: 24, firstRow: 0 },
        { rows: 4072, firstRow: 24 },
      ]),
      'blocks without a gap',
    );
    assert.ok(
      !restored([
        { rows: 20, firstRow: 0 },
        { rows: 4076, firstRow: 32 },
      ]),
      'a gap within a chunk',
    );
    assert.ok(!restored([{ rows: 4000, firstRow: 0 }]), 'fewer rows');
    assert.ok(!restored([{ rows: 5000, firstRow: 0 }]), 'more rows');
    assert.ok(!restored([{ rows: 4096, firstRow: 3 }]), 'no whole byte');
    const again = fixture.pieces.restore(shard, chunks, { index, mapped }, 9n as SegmentId);
    assert.ok(!again, 'they have an index already');
  });
});
