import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CollectionInfo,
  type Column,
  DataType,
  type FieldId,
  type FieldSchema,
  type SegmentId,
} from '@elanus/model';
import type { RowLocations, SearchHits, SearchTask } from '@elanus/rpc';
import { keysOf, NOW, ReadFixture } from '../read-fixture.ts';
import type { GroupKey } from './group-key.ts';
import { searchGrouped } from './grouped-search.ts';

/** A row that a search finds. */
interface Row {
  readonly key: number;
  readonly color: string;
  readonly score: number;
}

/** What was measured of the effort that the first look took. */
const RECALLS = Float32Array.of(0.96875);

function hitsOf(rows: readonly Row[]): SearchHits {
  return {
    readTimestamp: NOW,
    counts: Uint32Array.of(rows.length),
    keys: keysOf(...rows.map(({ key }) => BigInt(key))),
    scores: Float32Array.from(rows, ({ score }) => score),
    locations: {
      segmentIds: [1n as SegmentId],
      segments: new Uint32Array(rows.length),
      rows: Uint32Array.from(rows, ({ key }) => key),
    },
    recalls: RECALLS,
  };
}

/** Groups of rows by color, where each look of the server finds the next of `looks`. */
async function grouped(looks: readonly (readonly Row[])[], groups: number, size: number) {
  const { collection, dependencies } = new ReadFixture();
  const colors = new Map(looks.flat().map(({ key, color }) => [key, color]));
  const left = looks.map(hitsOf);
  const reader = {
    searchTogether: async () => [left.shift()!],
    search: async () => left.shift()!,
    fetch: async (_id: unknown, { rows }: RowLocations, [id]: readonly FieldId[]) =>
      new Map([[id!, textColumn(Array.from(rows, (key) => colors.get(key)!))]]),
  };
  const task = { collection, metric: 'L2', walk: null, queries: { count: 1 } } as unknown as SearchTask;
  const filter = { text: '', templates: new Map(), timeZone: 'UTC' };
  const grouping = { keys: [colorKey(collection)], size, isStrict: true, isPlural: false };
  const searches = [{ task, grouping, filter, groups }];
  const deep = { ...dependencies, reader: reader as unknown as typeof dependencies.reader };
  const [{ hits, groupSizes }] = (await searchGrouped(deep, searches, {})) as [
    Awaited<ReturnType<typeof searchGrouped>>[number],
  ];
  assert.deepEqual(hits.recalls, RECALLS, 'what was measured is told, however the hits are arranged');
  return { keys: Array.from(hits.locations.rows), groupSizes };
}

function colorKey({ schema }: CollectionInfo): GroupKey {
  const field = schema.fields.find(({ name }) => name === 'color') as FieldSchema;
  return { name: 'color', field, path: null, expression: 'color', type: 'text', others: 'null' };
}

function textColumn(texts: readonly string[]): Column {
  const runs = texts.map((text) => Buffer.from(text));
  const offsets = new Uint32Array(runs.length + 1);
  for (const [at, run] of runs.entries()) offsets[at + 1] = offsets[at]! + run.length;
  return {
    dataType: DataType.VarChar,
    length: runs.length,
    validity: null,
    offsets,
    bytes: Buffer.concat(runs),
  };
}

/** What the first look for two groups of two takes, nearly all of it red. */
const crowd = Array.from({ length: 23 }, (_, at) => ({ key: 10 + at, color: 'red', score: 1 + at / 100 }));

test('groups and their hits are in order, also where a later look finds what the first has missed', async () => {
  const first = [...crowd, { key: 40, color: 'blue', score: 3 }];
  const later = [
    { key: 41, color: 'blue', score: 0.5 },
    { key: 42, color: 'blue', score: 0.75 },
  ];
  assert.deepEqual(await grouped([first, later], 2, 2), { keys: [41, 40, 10, 11], groupSizes: [[2, 2]] });
});

test('equal scores come by key, wherever they were found', async () => {
  const first = [...crowd, { key: 40, color: 'blue', score: 1 }];
  const later = [{ key: 9, color: 'blue', score: 1 }];
  assert.deepEqual(await grouped([first, later], 2, 2), { keys: [9, 40, 10, 11], groupSizes: [[2, 2]] });
});

test('an effort that was asked for is the same for any number of groups', async () => {
  const { collection, dependencies } = new ReadFixture();
  const looked: SearchTask[] = [];
  const reader = {
    searchTogether: async (tasks: readonly SearchTask[]) => {
      looked.push(...tasks);
      return [hitsOf([])];
    },
    fetch: async (_id: unknown, _locations: RowLocations, [id]: readonly FieldId[]) =>
      new Map([[id!, textColumn([])]]),
  };
  const deep = { ...dependencies, reader: reader as unknown as typeof dependencies.reader };
  const filter = { text: '', templates: new Map(), timeZone: 'UTC' };
  const grouping = { keys: [colorKey(collection)], size: 1, isStrict: false, isPlural: false };
  for (const groups of [1, 30, 64])
    for (const walk of [{ ef: 64, refineK: 1, isAskedFor: true } as const, { ef: 64, refineK: 1 }]) {
      const task = { collection, metric: 'L2', walk, queries: { count: 1 } } as unknown as SearchTask;
      await searchGrouped(deep, [{ task, grouping, filter, groups }], {});
    }
  assert.deepEqual(
    looked.map(({ limit, walk }) => [walk?.isAskedFor === true, limit, walk?.ef]),
    [
      [true, 18, 64],
      [false, 18, 64],
      [true, 64, 64],
      [false, 76, 76],
      [true, 64, 64],
      [false, 144, 144],
    ],
  );
});
