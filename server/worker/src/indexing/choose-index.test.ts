import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexSpec } from '@elanus/kernel';
import { DataType } from '@elanus/model';
import { fieldFixture } from '@elanus/model/testing';
import { chooseIndex } from './choose-index.ts';

const ROWS = 1_000_000;
const fieldOf = (dataType: DataType, dim: number) => fieldFixture(101, 'vector', dataType, { dim });

const FAST: IndexSpec = { type: 'HNSW', m: 16, efConstruction: 200, layout: 'auto' };
const COMPACT: IndexSpec = { ...FAST, layout: 'compact' };
const LISTS: IndexSpec = { type: 'IVF_SQ', lists: 1024, sqType: 'SQ8', refine: 'FP32' };
const diskOf = (codeBytes: number, cacheBytes: number): IndexSpec => ({
  type: 'DISKANN',
  m: 28,
  efConstruction: 100,
  codeBytes,
  cacheBytes,
});

// Bytes a row that there are for 512 of a vector, and what they are enough for.
const float128: readonly [bytesOfRow: number, IndexSpec][] = [
  [Number.POSITIVE_INFINITY, FAST],
  [512 + 896, FAST],
  [512 + 895, COMPACT],
  [512 + 128 + 168, COMPACT],
  [512 + 128 + 167, LISTS],
  [160 + 16, LISTS],
  [160 + 15, diskOf(64, 51)],
  [0, diskOf(64, 51)],
  [Number.NEGATIVE_INFINITY, diskOf(64, 51)],
];
for (const [bytesOfRow, spec] of float128) {
  test(`a million rows of 128 floats are ${spec.type} when there are ${bytesOfRow} bytes for each`, () => {
    assert.deepEqual(chooseIndex(fieldOf(DataType.FloatVector, 128), ROWS, bytesOfRow * ROWS), spec);
  });
}

test('shorter vectors of floats have the same choice, and bytes no other than graphs', () => {
  const half = fieldOf(DataType.BFloat16Vector, 768);
  assert.deepEqual(chooseIndex(half, ROWS, 1536 * ROWS), LISTS);
  assert.deepEqual(chooseIndex(half, ROWS, 700 * ROWS), diskOf(192, 153));
  const bytes = fieldOf(DataType.Int8Vector, 768);
  assert.deepEqual(chooseIndex(bytes, ROWS, 1704 * ROWS), FAST);
  assert.deepEqual(chooseIndex(bytes, ROWS, 0), COMPACT);
});

test('few rows are a graph where many would be none', () => {
  const field = fieldOf(DataType.FloatVector, 768);
  assert.deepEqual(chooseIndex(field, 10_000, 1e8), FAST);
  assert.equal(chooseIndex(field, 1_000_000, 1e8).type, 'DISKANN');
});
