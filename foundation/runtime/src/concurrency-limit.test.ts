import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConcurrencyLimit } from './concurrency-limit.ts';

test('work waits for its turn, in the order it came, also behind work that fails', async () => {
  const limit = new ConcurrencyLimit(1);
  const order: number[] = [];
  const first = Promise.withResolvers<void>();
  const runs = [
    limit.run(() => first.promise),
    limit.run(async () => order.push(2)),
    limit.run(async () => order.push(3)),
  ];
  assert.deepEqual(order, []);
  first.reject(new Error('no'));
  const settled = await Promise.allSettled(runs);
  assert.deepEqual(
    [settled.map(({ status }) => status), order],
    [
      ['rejected', 'fulfilled', 'fulfilled'],
      [2, 3],
    ],
  );
});

test('whoever stops waiting is never begun, and keeps nobody from his turn', async () => {
  const limit = new ConcurrencyLimit(1);
  const abort = new AbortController();
  const { signal } = abort;
  const first = Promise.withResolvers<void>();
  const running = limit.run(() => first.promise, { signal });
  let begun = 0;
  const left = limit.run(async () => begun++, { signal });
  const last = limit.run(async () => 'last');
  abort.abort(new Error('given up'));
  await assert.rejects(left, /given up/);
  await assert.rejects(
    limit.run(async () => begun++, { signal }),
    /given up/,
  );
  first.resolve();
  await running;
  assert.deepEqual([await last, begun], ['last', 0]);
  assert.equal(await limit.run(async () => 'free'), 'free');
});
