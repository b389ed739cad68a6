import assert from 'node:assert/strict';
import test from 'node:test';
import { pathName, pathsOf, planFilter } from '@elanus/expr';
import { DataType } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { Chunk } from '../chunk.ts';
import type { ChunkView } from '../shard.ts';
import { bytesOfPlaces, keepPlaces, knownPlaces } from './json-places.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'doc', DataType.JSON),
]);
const ROWS = 1_000;

function viewOf(isClosed: boolean): ChunkView {
  const chunk = { rows: ROWS, isClosed } as Chunk;
  return { chunk, rows: ROWS } as ChunkView;
}

function ask(view: ChunkView, filter: string): boolean {
  return keepPlaces([view], planFilter(filter, schema)!.condition);
}

function isKept({ chunk }: ChunkView, path: string): boolean {
  const [operand] = pathsOf(planFilter(`${path} == 1`, schema)!.condition);
  return knownPlaces(chunk, pathName(operand!)) !== undefined;
}

test('keeps places from the second question on, of rows that do not change', () => {
  const [closed, growing] = [viewOf(true), viewOf(false)];
  assert.deepEqual(
    [1, 2, 3].map(() => ask(closed, 'doc["a"] > 1 or id < 3')),
    [false, false, true],
  );
  assert.equal(isKept(closed, 'doc["a"]'), true);
  assert.equal(bytesOfPlaces(closed.chunk), 2 * ROWS);
  for (let i = 0; i < 3; i++) assert.equal(ask(growing, 'doc["a"] > 1'), false);
  assert.equal(isKept(growing, 'doc["a"]'), false);
});

test('keeps those of a few paths, the ones that were asked about last', () => {
  const view = viewOf(true);
  for (let path = 0; path < 100; path++) for (let i = 0; i < 2; i++) ask(view, `doc["p${path}"] == 1`);
  assert.ok(bytesOfPlaces(view.chunk) <= 8 * 2 * ROWS);
  assert.deepEqual(
    [99, 92, 91, 0].map((path) => isKept(view, `doc["p${path}"]`)),
    [true, true, false, false],
  );
  const many = Array.from({ length: 20 }, (_, i) => `doc["q${i}"] == 1`).join(' or ');
  for (let i = 0; i < 3; i++) assert.equal(ask(view, many), false);
  assert.equal(isKept(view, 'doc["p99"]'), true);
});
