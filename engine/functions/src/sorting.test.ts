import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '@elanus/runtime';
import { sorting } from './sorting.ts';
import { runAtOnce } from './work.ts';

for (const length of [0, 1, 1000, 16_384, 16_385, 100_000])
  test(`sorts ${length} numbers`, () => {
    const random = seededRandom(length);
    const values = Uint32Array.from({ length }, () => random.below(1000) * 4_000_000);
    assert.deepEqual(runAtOnce(sorting(values.slice())), values.slice().sort());
  });
