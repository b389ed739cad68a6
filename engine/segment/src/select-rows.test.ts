import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePredicate, type Predicate, planFilter } from '@elanus/expr';
import { DataType, type PartitionId, type SegmentId, TIMESTAMP_MAX, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import type { Read } from './read.ts';
import { type SelectedRows, selectRows } from './select-rows.ts';
import { type ReadScope, Shard } from './shard.ts';
import { keyColumn, randomBatch } from './testing/index.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int32, { nullable: true }),
  /** Makes rows long, so that chunks are short. */
  fieldFixture(102, 'padding', DataType.FloatVector, { dim: 2048 }),
]);
const FILTERS = ['number < 50', 'number == 7', 'id > 1000', 'not (number < 98)'];
const NOW = { partitionIds: null, at: TIMESTAMP_MAX } as const;
const share = new LoopShare(systemClock);

class Fixture {
  readonly random = seededRandom(5);
  readonly shards = [new Shard({ segmentId: 1n as SegmentId, schema, seed: 5, share })];
  time = 0n as Timestamp;

  async write(part: object): Promise<void> {
    this.time = (this.time + 10n) as Timestamp;
    const record = { kind: 'upsert', duplicates: 'replace', parts: [part] } as never;
    (await this.shards[0]!.prepare(record, this.time))!.publish();
  }

  async insert(count: number): Promise<void> {
    const keys = Array.from({ length: count }, () => BigInt(this.random.below(3000)));
    const batch = randomBatch(schema, [...new Set(keys)], this.random);
    await this.write({ partitionId: BigInt(1 + this.random.below(2)) as PartitionId, batch });
  }

  async delete(count: number): Promise<void> {
    const keys = Array.from({ length: count }, () => BigInt(this.random.below(3000)));
    await this.write({ partitionIds: null, keys: keyColumn(keys, DataType.Int64) });
  }

  async selected(predicate: Predicate, scope: ReadScope = NOW): Promise<readonly SelectedRows[]> {
    const selection = { keys: null, matches: compilePredicate(predicate), predicate };
    const read: Read = { shards: this.shards, scope, selection, share };
    return await selectRows(read);
  }
}

function rowsIn(selected: readonly SelectedRows[]): readonly unknown[] {
  return selected.map(({ view, allowed, count }) => [view.chunk.firstLocation, view.rows, allowed, count]);
}

test('a filter that is asked again selects what a new one does, whatever was written meanwhile', async () => {
  const fixture = new Fixture();
  const kept = FILTERS.map((text) => planFilter(text, schema)!);
  const scopes: ReadScope[] = [NOW, { partitionIds: new Set([1n as PartitionId]), at: TIMESTAMP_MAX }];
  for (let round = 0; round < 12; round++) {
    await (round % 3 === 2 ? fixture.delete(100) : fixture.insert(400));
    if (round === 4) scopes.push({ partitionIds: null, at: fixture.time });
    for (const [at, predicate] of kept.entries())
      for (const scope of scopes) {
        const fresh = await fixture.selected(planFilter(FILTERS[at]!, schema)!, scope);
        for (let asked = 0; asked < 2; asked++)
          assert.deepEqual(rowsIn(await fixture.selected(predicate, scope)), rowsIn(fresh), FILTERS[at]!);
      }
  }
});

test('while nothing changes a filter selects the very same list, and other collections have their own', async () => {
  const [one, other] = [new Fixture(), new Fixture()];
  await one.insert(500);
  await other.insert(300);
  const predicate = planFilter('number < 50', schema)!;
  const first = await one.selected(predicate);
  assert.equal(await one.selected(predicate), first);
  assert.notDeepEqual(rowsIn(await other.selected(predicate)), rowsIn(first));
  await one.delete(50);
  assert.notEqual(await one.selected(predicate), first);
});

test('a sample is drawn anew each time', async () => {
  const fixture = new Fixture();
  await fixture.insert(900);
  const predicate = planFilter('random_sample(0.5)', schema)!;
  assert.notEqual(await fixture.selected(predicate), await fixture.selected(predicate));
});
