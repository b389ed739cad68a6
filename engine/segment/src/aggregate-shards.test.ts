import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DataType,
  type FieldId,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { Aggregate, OrderKey } from '@elanus/rpc';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import { aggregateShards } from './aggregate-shards.ts';
import { queryShards } from './query-shards.ts';
import type { Read } from './read.ts';
import { Shard } from './shard.ts';
import { keysOf, randomBatch, valueAt } from './testing/index.ts';

const [ID, GROUP, NUMBER, TEXT] = [100, 101, 102, 103] as FieldId[];
const schema = schemaFixture([
  fieldFixture(ID!, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(GROUP!, 'group', DataType.Bool, { nullable: true }),
  fieldFixture(NUMBER!, 'number', DataType.Int64, { nullable: true }),
  fieldFixture(TEXT!, 'text', DataType.VarChar, { nullable: true, maxLength: 20 }),
]);
const share = new LoopShare(systemClock);

type Row = Record<'id' | 'number', bigint | null> & { group: unknown; text: string | null };

/** Two shards of random rows, some of them deleted by later ones, and the rows as objects. */
async function shards(seed: number): Promise<{ read: Read; rows: Row[] }> {
  const random = seededRandom(seed);
  const made = [1n, 2n].map((id) => new Shard({ segmentId: id as SegmentId, schema, seed, share }));
  const rows = new Map<bigint, Row>();
  let time = 0n;
  for (let round = 0; round < 6; round++) {
    for (const [at, shard] of made.entries()) {
      const keys = Array.from({ length: 40 }, () => BigInt(2 * random.below(80) + at));
      const distinct = [...new Set(keys)];
      const batch = randomBatch(schema, distinct, random);
      const parts = [{ partitionId: 1n as PartitionId, batch }];
      time += 1n;
      (await shard.prepare({ kind: 'insert', duplicates: 'replace', parts }, time as Timestamp))!.publish();
      for (const [row, id] of distinct.entries()) {
        const value = (field: FieldId) => valueAt(batch.columns.get(field)!, row);
        rows.set(id, {
          id,
          group: value(GROUP!),
          number: value(NUMBER!) as bigint | null,
          text: value(TEXT!) as string | null,
        });
      }
    }
  }
  const scope = { partitionIds: null, at: TIMESTAMP_MAX };
  return { read: { shards: made, scope, selection: null, share }, rows: [...rows.values()] };
}

function aggregate(operation: Aggregate['function'], field: FieldId | null = null): Aggregate {
  return { function: operation, field };
}

describe('aggregates', () => {
  for (let seed = 1; seed <= 10; seed++) {
    it(`count rows and values of each group, and find the least text (seed ${seed})`, async () => {
      const { read, rows } = await shards(seed);
      const { examples, totals } = await aggregateShards(
        read,
        [GROUP!],
        [aggregate('count'), aggregate('count', NUMBER!), aggregate('min', TEXT!)],
      );
      const groups = Array.from(examples.rows, (row, at) =>
        valueAt(examples.views[examples.viewOf[at]!]!.chunk.column(GROUP!), row),
      );
      const wanted = Map.groupBy(rows, ({ group }) => group);
      assert.deepEqual(new Set(groups), new Set(wanted.keys()));
      const [counts, numbers, texts] = totals;
      assert.ok(counts?.kind === 'values' && numbers?.kind === 'values' && texts?.kind === 'rows');
      for (const [at, group] of groups.entries()) {
        const members = wanted.get(group)!;
        assert.equal(valueAt(counts.column, at), BigInt(members.length));
        const present = members.filter(({ number }) => number !== null);
        assert.equal(valueAt(numbers.column, at), BigInt(present.length));
        const { views, viewOf, rows: places } = texts.rows;
        const least = valueAt(views[viewOf[at]!]!.chunk.column(TEXT!), places[at]!);
        const sorted = members.flatMap(({ text }) => text ?? []).sort(byBytes);
        assert.equal(least, sorted[0] ?? null);
      }
    });

    it(`come to one total where nothing is grouped by (seed ${seed})`, async () => {
      const { read, rows } = await shards(seed);
      const { totals } = await aggregateShards(read, [], [aggregate('count'), aggregate('avg', NUMBER!)]);
      const [count, average] = totals;
      assert.ok(count?.kind === 'values' && average?.kind === 'values');
      assert.equal(valueAt(count.column, 0), BigInt(rows.length));
      const numbers = rows.flatMap(({ number }) => number ?? []);
      const exact = Number(numbers.reduce((sum, n) => sum + n, 0n)) / numbers.length;
      const got = valueAt(average.column, 0) as number;
      assert.ok(Math.abs(got - exact) <= Math.abs(exact) * 1e-12, `${got} instead of ${exact}`);
    });
  }
});

describe('an order by fields', () => {
  const orders: readonly (readonly OrderKey[])[] = [
    [{ field: NUMBER!, direction: 'ascending', nulls: 'first' }],
    [{ field: TEXT!, direction: 'descending', nulls: 'last' }],
    [
      { field: GROUP!, direction: 'descending', nulls: 'first' },
      { field: TEXT!, direction: 'ascending', nulls: 'last' },
    ],
  ];
  const nameOf = new Map<FieldId, keyof Row>([
    [GROUP!, 'group'],
    [NUMBER!, 'number'],
    [TEXT!, 'text'],
  ]);

  for (const [number, orderBy] of orders.entries()) {
    it(`sorts all rows as a sort of objects does, and cuts the same window (order ${number})`, async () => {
      const { read, rows } = await shards(77 + number);
      const wanted = rows.sort((a, b) => {
        for (const { field, direction, nulls } of orderBy) {
          const [x, y] = [a[nameOf.get(field)!], b[nameOf.get(field)!]];
          if (x === null || y === null) {
            if (x === y) continue;
            return (x === null) === (nulls === 'first') ? -1 : 1;
          }
          const difference = compare(x, y);
          if (difference !== 0) return direction === 'ascending' ? difference : -difference;
        }
        return compare(a.id, b.id);
      });
      const keys = wanted.map(({ id }) => id);
      const all = await queryShards(read, { limit: null, offset: 0, orderBy }, DataType.Int64);
      assert.deepEqual(keysOf(all.keys), keys);
      const window = await queryShards(read, { limit: 7, offset: 5, orderBy }, DataType.Int64);
      assert.deepEqual(keysOf(window.keys), keys.slice(5, 12));
    });
  }
});

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return byBytes(a, b);
  return (a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0;
}
