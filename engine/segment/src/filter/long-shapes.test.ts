import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { compilePredicate, planFilter, requiredKeys } from '@elanus/expr';
import {
  type Column,
  DataType,
  type FieldId,
  type IndexId,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, systemClock } from '@elanus/runtime';
import { countShards, queryShards } from '../query-shards.ts';
import type { Read } from '../read.ts';
import { buildScalarIndex } from '../scalar-index/build-scalar-index.ts';
import { blocksOf } from '../scalar-index/index-pieces.ts';
import { scalarIndexSpec } from '../scalar-index/plan-index.ts';
import { ScalarIndexes } from '../scalar-index/scalar-indexes.ts';
import { Shard } from '../shard.ts';
import { keyColumn, keysOf } from '../testing/index.ts';
import { openSegmentThreads } from '../threads/open-threads.ts';
import { FilterCache } from './filter-cache.ts';
import { NO_ROWS } from './scan-on-threads.ts';

const PLACE = fieldFixture(101, 'place', DataType.Geometry, { nullable: true });
const schema = schemaFixture([fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }), PLACE]);
const share = new LoopShare(systemClock);
const threads = openSegmentThreads(1);
before(() => threads.warmUp(NO_ROWS));
after(() => threads[Symbol.asyncDispose]());

/** A ring around a point: valid, and of many corners. */
function ring(x: number, corners: number): string {
  const points = Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return `${(x + Math.cos(angle)).toFixed(5)} ${Math.sin(angle).toFixed(5)}`;
  });
  return `POLYGON ((${[...points, points[0]].join(', ')}))`;
}

const BOW = 'POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))';

/** Every third is a ring of many corners, others are squares, a shape that crosses itself, and nothing. */
function placeOf(row: number): string | null {
  if (row % 3 === 0) return ring(row, 200);
  if (row % 7 === 0) return BOW;
  return row % 5 === 0 ? null : `POLYGON ((${row} 0, ${row} 1, ${row + 1} 1, ${row} 0))`;
}

async function shardOf(places: readonly (string | null)[]): Promise<Shard> {
  const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 1, share });
  const parts = places.map((place) => Buffer.from(place ?? ''));
  const offsets = new Uint32Array(places.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  const column = {
    dataType: DataType.Geometry,
    length: places.length,
    validity: Uint8Array.from(places, (place) => (place === null ? 0 : 1)),
    offsets,
    bytes: Buffer.concat(parts),
  } as const;
  const keys = keyColumn(
    places.map((_, row) => BigInt(row)),
    DataType.Int64,
  );
  const columns = new Map<FieldId, Column>([
    [100 as FieldId, keys],
    [101 as FieldId, column],
  ]);
  const batch = { length: places.length, columns };
  const part = { partitionId: 1n as PartitionId, batch };
  const record = { kind: 'insert', duplicates: 'replace', parts: [part] } as const;
  (await shard.prepare(record, 1n as Timestamp))!.publish();
  return shard;
}

/** An RTREE over all rows, although their chunk still grows. */
function boxesOf(shard: Shard): ScalarIndexes {
  const indexes = new ScalarIndexes();
  const options = { indexType: 'RTREE', field: PLACE, steps: null, castType: null, gramMin: null };
  const spec = scalarIndexSpec(options)!;
  const pieces = indexes.open(1n as IndexId, spec, { rowsMin: 1 });
  const planned = pieces.nextPiece(shard.view({ partitionIds: null, at: TIMESTAMP_MAX }), 'going-on');
  if (planned !== null) pieces.adopt(planned, buildScalarIndex(spec, blocksOf(planned, spec.place), 1));
  return indexes;
}

function readOf(
  shard: Shard,
  text: string,
  options: { indexes?: ScalarIndexes; signal?: AbortSignal } = {},
): Read {
  const predicate = planFilter(text, schema)!;
  const tools = {
    cache: new FilterCache(0),
    indexes: options.indexes ?? new ScalarIndexes(),
    threads,
  };
  return {
    shards: [shard],
    scope: { partitionIds: null, at: TIMESTAMP_MAX },
    selection: { keys: requiredKeys(predicate), matches: compilePredicate(predicate), predicate },
    filters: tools,
    share,
    ...options,
  };
}

async function idsOf(read: Read, limit: number | null = null): Promise<readonly number[]> {
  return [...keysOf((await queryShards(read, { limit, offset: 0 }, DataType.Int64)).keys)].map(Number);
}

const ROWS = 300;
const rows = Array.from({ length: ROWS }, (_, row) => row);
const isRing = (row: number): boolean => row % 3 === 0;
const isBow = (row: number): boolean => !isRing(row) && row % 7 === 0;
const isThere = (row: number): boolean => placeOf(row) !== null;

describe('rows whose shapes take long', () => {
  test('are found by a scan, by pages, by keys and by an index', async () => {
    const shard = await shardOf(rows.map(placeOf));
    const valid = rows.filter((row) => isThere(row) && !isBow(row));
    assert.deepEqual(await idsOf(readOf(shard, 'st_isvalid(place)')), valid);
    assert.equal(await countShards(readOf(shard, 'st_isvalid(place)')), valid.length);
    assert.deepEqual(await idsOf(readOf(shard, 'st_isvalid(place)'), 20), valid.slice(0, 20));
    assert.deepEqual(await idsOf(readOf(shard, 'not st_isvalid(place)')), rows.filter(isBow));
    const asked = [3, 7, 8, 10, 299, 9, 3];
    const wanted = [3, 8, 9, 299];
    assert.deepEqual(await idsOf(readOf(shard, `id in [${asked}] and st_isvalid(place)`)), wanted);
    const near = `st_intersects(place, "${ring(30, 100)}")`;
    const found = rows.filter((row) => isThere(row) && !isBow(row) && row >= 28 && row <= 32);
    const byScan = await idsOf(readOf(shard, near));
    assert.ok(byScan.includes(30) && byScan.every((row) => found.includes(row)), String(byScan));
    assert.deepEqual(await idsOf(readOf(shard, near, { indexes: boxesOf(shard) })), byScan);
  });

  test('are tested elsewhere: whoever has gone away gets no answer from here', async () => {
    const shard = await shardOf(rows.map(placeOf));
    const signal = AbortSignal.abort(new Error('gone'));
    for (const text of ['st_isvalid(place)', 'id in [3, 6, 9] and st_isvalid(place)'])
      await assert.rejects(idsOf(readOf(shard, text, { signal }), 5), /gone/);
  });

  test('are refused in the words of the test when they have too many corners', async () => {
    const zigzag = Array.from({ length: 3_000 }, (_, i) => `${(i % 2) * 3_000} ${i}`).join(', ');
    const shard = await shardOf([ring(0, 100), `LINESTRING (${zigzag})`, ring(2, 6_000)]);
    const crossing = Array.from({ length: 2_000 }, (_, i) => `${i} ${(i % 2) * 3_000}`).join(', ');
    for (const text of [
      'st_isvalid(place)',
      'id in [1, 2] and st_isvalid(place)',
      `st_crosses(place, "LINESTRING (${crossing})")`,
    ])
      await assert.rejects(idsOf(readOf(shard, text), 5), {
        code: 1100,
        message: /too large to be .*: invalid parameter$/,
      });
  });
});
