import assert from 'node:assert/strict';
import test from 'node:test';
import { planFilter } from '@elanus/expr';
import { DataType } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { Chunk } from '../chunk.ts';
import type { ChunkView } from '../shard.ts';
import { rowsOfPiece, TextCosts } from './text-costs.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'text', DataType.VarChar),
  fieldFixture(102, 'doc', DataType.JSON),
]);

/** Rows whose text and document have so many bytes each. */
function viewOf(rows: number, bytes: number): ChunkView {
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, row) => row * bytes);
  return { chunk: { rows, column: () => ({ offsets }) } as unknown as Chunk, rows } as ChunkView;
}

function costs(filter: string): TextCosts {
  return new TextCosts(planFilter(filter, schema)!.condition);
}

test('short texts, and what is no text, cost nothing beside the row', () => {
  const view = viewOf(1_000, 60);
  for (const filter of ['text =~ "a.*b"', 'doc["a"] == 1', 'id in [1, 2]', 'text == "a" or id < 3'])
    assert.equal(costs(filter).ofAll([view]), 0, filter);
  assert.equal(costs('text == "a" and id > 3').ofAll([viewOf(10, 60_000)]), 0);
});

test('long ones cost what their bytes do: a run with a wild character most, a pattern more than a path', () => {
  const view = viewOf(64, 60_000);
  const inOrder = [
    'doc["a"] == 1',
    'text like "%abc%"',
    'doc["a"] like "%abc%"',
    'text =~ "a.*b"',
    `text like "%${'a_'.repeat(100)}b%"`,
  ].map((filter) => costs(filter).ofAll([view]));
  assert.deepEqual(
    inOrder,
    [...inOrder].sort((a, b) => a - b),
  );
  assert.ok(inOrder[0]! > 4_000_000);
  assert.equal(costs('text =~ "a.*b"').of(view.chunk, 3, 5) * 32, inOrder[3]);
});

test('of long rows fewer are tested at a time, never fewer than the bits of a byte', () => {
  const filter = costs('text =~ "a.*b"');
  const stepOf = (bytes: number): number => {
    const view = viewOf(1_024, bytes);
    return rowsOfPiece(view, filter.of(view.chunk, 0, view.rows), 1_024);
  };
  assert.deepEqual([10, 64, 1_000, 65_000].map(stepOf), [1_024, 1_024, 64, 8]);
});
