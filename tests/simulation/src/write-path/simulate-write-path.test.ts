import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from '../run-seeds.ts';
import { SIMULATED_SEEDS } from '../simulated-seeds.ts';
import { simulateWritePath } from './simulate-write-path.ts';

test(`a server loses nothing it acknowledged and shows nothing it refused, through crashes, full disks and failing syncs, on ${SIMULATED_SEEDS} seeds`, () =>
  runSeeds(simulateWritePath, { first: 1, count: SIMULATED_SEEDS }));

test('the same seed is the same run, so that a failure can be looked at again', async () => {
  for (const seed of [3, 33]) assert.deepEqual(await simulateWritePath(seed), await simulateWritePath(seed));
});

test('ten runs together have all that they are about', async () => {
  const sums = new Map<string, number>();
  for (let seed = 1; seed <= 10; seed += 1)
    for (const [what, count] of Object.entries(await simulateWritePath(seed)))
      sums.set(what, (sums.get(what) ?? 0) + count);
  for (const [what, sum] of sums) assert.ok(sum > 0, `no ${what} in ten runs`);
});
