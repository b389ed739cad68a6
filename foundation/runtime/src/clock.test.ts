import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { ManualClock } from './manual-clock.ts';
import { seededRandom, systemRandom } from './random.ts';
import { systemClock } from './system-clock.ts';

test('a manual clock wakes sleepers in the order of their deadlines', async () => {
  const clock = new ManualClock(1_000);
  const woken: number[] = [];
  const sleeps = [30, 10, 20, 50].map((ms) => clock.sleep(ms).then(() => woken.push(ms)));
  clock.advance(30);
  await Promise.all(sleeps.slice(0, 3));
  assert.deepEqual(woken, [10, 20, 30]);
  assert.equal(clock.nowMs(), 1_030);
  assert.equal(clock.monotonicMs(), 30);
  clock.setWallMs(5);
  assert.equal(clock.monotonicMs(), 30);
});

for (const [name, clock] of [
  ['manual', new ManualClock()],
  ['system', systemClock],
] as const) {
  test(`a sleep on the ${name} clock ends with its signal's reason`, async () => {
    const controller = new AbortController();
    const sleep = clock.sleep(1_000_000, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await assert.rejects(sleep, /enough/);
    await assert.rejects(clock.sleep(1, { signal: controller.signal }), /enough/);
  });
}

test('one seed gives the same numbers, two seeds do not', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 8 }, () => random.uint32());
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
});

test('random numbers keep their bounds and reach all of them', () => {
  for (const random of [seededRandom(1), systemRandom]) {
    const seen = new Set<number>();
    for (let count = 0; count < 1_000; count += 1) {
      seen.add(random.below(4));
      assert.ok(random.float() < 1);
    }
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3]);
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(1), true);
  }
});

test('a concurrency limit lets so many run and no more, in order, also past failures', async () => {
  const limit = new ConcurrencyLimit(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const work = Array.from({ length: 7 }, (_, index) =>
    limit.run(async () => {
      order.push(index);
      running += 1;
      most = Math.max(most, running);
      await null;
      running -= 1;
      if (index === 2) throw new Error('no');
    }),
  );
  const outcomes = await Promise.allSettled(work);
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(outcomes.map((outcome) => outcome.status).indexOf('rejected'), 2);
});
