import assert from 'node:assert/strict';
import test from 'node:test';
import { composeTimestamp } from '@elanus/model';
import { ManualClock } from '@elanus/runtime';
import { UnreliableMetaStore } from '../testing/unreliable-meta-store.ts';
import { IdAllocator } from './id-allocator.ts';

test('blocks of ids never overlap, whoever asks at the same time', async () => {
  const clock = new ManualClock(1_000_000);
  const ids = await IdAllocator.open({ store: new UnreliableMetaStore(), clock });
  const counts = [1, 5_000, 400_000_000, 3, 1, 300_000_000];
  const firsts = await Promise.all(counts.map(async (count) => await ids.allocate(count)));
  const blocks = firsts.map((first, at) => [first, first + BigInt(counts[at]!)] as const);
  blocks.sort(([left], [right]) => Number(left - right));
  assert.equal(blocks[0]![0], composeTimestamp(1_000_000));
  for (const [at, [first]] of blocks.entries()) assert.ok(at === 0 || first >= blocks[at - 1]![1]);
});

test('a restart never hands out an id again, even when the clock stepped back', async () => {
  const store = new UnreliableMetaStore();
  const clock = new ManualClock(1_000_000);
  const last = await (await IdAllocator.open({ store, clock })).allocate(10);
  clock.setWallMs(5);
  const next = await (await IdAllocator.open({ store: store.restart(), clock })).allocate(1);
  assert.ok(next >= last + 10n);
});

test('ids that could not be reserved are not handed out; the next call tries again', async () => {
  const store = new UnreliableMetaStore();
  const ids = await IdAllocator.open({ store, clock: new ManualClock() });
  store.failNext('refused');
  await assert.rejects(ids.allocate(1));
  assert.equal(typeof (await ids.allocate(1)), 'bigint');
});
