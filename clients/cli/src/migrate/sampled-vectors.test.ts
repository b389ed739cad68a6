import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecodedColumn, RowValue } from './row-values.ts';
import { SampledVectors } from './sampled-vectors.ts';

const column = (name: string, values: readonly RowValue[]): DecodedColumn => ({
  name,
  length: values.length,
  valueAt: (row) => values[row]!,
});
/** Rows whose hashes are not in the order of the rows. */
const HASHES = Array.from({ length: 100 }, (_, row) => BigInt((row * 37) % 101));
const COLUMNS = [
  column(
    'v',
    HASHES.map((hash) => [Number(hash), 0.5]),
  ),
  column(
    'bits',
    HASHES.map((hash) => (hash % 2n === 0n ? null : Number(hash).toString(16).padStart(2, '0'))),
  ),
];

function sampled(rows: readonly number[]): SampledVectors {
  const sample = new SampledVectors(['v', 'bits']);
  for (const row of rows) sample.offer(HASHES[row]!, COLUMNS, row);
  return sample;
}

test('the rows of a sample are those with the smallest hashes, in whatever order they come', () => {
  const rows = Array.from(HASHES.keys());
  const [forward, backward] = [sampled(rows), sampled(rows.toReversed())];
  assert.deepEqual(forward.of('v'), backward.of('v'));
  const firsts = forward.of('v').map((bytes) => new Float32Array(bytes.buffer, bytes.byteOffset)[0]);
  const smallest = HASHES.toSorted((left, right) => (left < right ? -1 : 1)).slice(0, 20);
  assert.deepEqual(firsts, smallest.map(Number));
});

test('vectors are as queries have them, and rows without one are left out', () => {
  const sample = sampled(Array.from(HASHES.keys()));
  assert.deepEqual(
    sample.of('bits').map((bytes) => [...bytes]),
    [[1], [3], [5], [7], [9], [11], [13], [15], [17], [19]],
  );
  assert.deepEqual(sample.of('other'), []);
});
