import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { composeTimestamp, LOGICAL_COUNT, MilvusError, physicalMs, type Timestamp } from '@elanus/model';
import { ManualClock } from '@elanus/runtime';
import fc from 'fast-check';
import { TIMESTAMP_WINDOW_KEY } from '../catalog/catalog-keys.ts';
import { UnreliableMetaStore } from '../testing/unreliable-meta-store.ts';
import { TimestampOracle } from './timestamp-oracle.ts';

test('timestamps follow the clock and differ within a millisecond', async () => {
  const clock = new ManualClock(1_000_000);
  const oracle = await TimestampOracle.open({ store: new UnreliableMetaStore(), clock });
  const [first, second] = [oracle.next(), oracle.next()];
  assert.equal(second, first + 1n);
  clock.advance(5);
  assert.equal(oracle.next(), composeTimestamp(1_000_005));
  await oracle.close();
});

test('timestamps grow over steps of the clock, crashes and clean restarts', async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 60_000 }) }),
      fc.record({ kind: fc.constant('set' as const), ms: fc.integer({ min: 0, max: 10_000_000 }) }),
      fc.record({ kind: fc.constantFrom('next', 'crash', 'close', 'raise') }),
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      let store = new UnreliableMetaStore();
      const clock = new ManualClock(5_000_000);
      let oracle = await TimestampOracle.open({ store, clock });
      let last = 0n;
      const take = () => {
        const next = oracle.next();
        assert.ok(next > last, `${next} after ${last}`);
        last = next;
      };
      for (const step of plan) {
        if (step.kind === 'advance') clock.advance(step.ms);
        else if (step.kind === 'set') clock.setWallMs(step.ms);
        else if (step.kind === 'raise') {
          last += LOGICAL_COUNT * 100_000n;
          await oracle.raiseTo(last as Timestamp);
        } else if (step.kind === 'crash' || step.kind === 'close') {
          if (step.kind === 'close') await oracle.close();
          store = store.restart();
          oracle = await TimestampOracle.open({ store, clock });
        }
        take();
        await setImmediate();
        take();
      }
      await oracle.close();
    }),
    { numRuns: 60 },
  );
});

test('a store that does not answer slows time down, then refuses; time goes on when it answers', async () => {
  const store = new UnreliableMetaStore();
  const clock = new ManualClock(1_000_000);
  const oracle = await TimestampOracle.open({ store, clock });
  const windowEndMs = 1_000_000 + 15_001;
  clock.setWallMs(2_000_000);
  store.failNext('refused', TIMESTAMP_WINDOW_KEY);
  const slow = oracle.next();
  assert.equal(physicalMs(slow), windowEndMs - 1_000);
  await setImmediate();
  oracle.next();
  await setImmediate();
  assert.equal(physicalMs(oracle.next()), 2_000_000);
  await oracle.close();
});

test('nothing is handed out beyond what is durable', async () => {
  const store = new UnreliableMetaStore();
  const clock = new ManualClock(1_000_000);
  const oracle = await TimestampOracle.open({ store, clock });
  store.failNext('crash before');
  await assert.rejects(oracle.raiseTo(composeTimestamp(9_000_000)));
  assert.throws(
    () => oracle.next(),
    (error) => error instanceof MilvusError && error.code === 1 && error.retriable,
  );
});

test('a clean restart goes on where the last run stopped', async () => {
  const store = new UnreliableMetaStore();
  const clock = new ManualClock(1_000_000);
  const first = await TimestampOracle.open({ store, clock });
  const last = first.next();
  await first.close();
  const second = await TimestampOracle.open({ store, clock });
  assert.equal(physicalMs(second.next()), physicalMs(last));
  await second.close();
});

test('an idle oracle keeps its window ahead of the clock', async () => {
  const store = new UnreliableMetaStore();
  const clock = new ManualClock(1_000_000);
  const oracle = await TimestampOracle.open({ store, clock });
  for (let second = 0; second < 60; second += 1) {
    clock.advance(1_000);
    await setImmediate();
  }
  assert.equal(physicalMs(oracle.next()), 1_060_000);
  await oracle.close();
});

test('a damaged window is reported and time goes on from the clock', async () => {
  const store = new UnreliableMetaStore();
  store.overwrite(TIMESTAMP_WINDOW_KEY, Buffer.from('nonsense'));
  const oracle = await TimestampOracle.open({ store, clock: new ManualClock(3_000_000) });
  assert.equal(physicalMs(oracle.next()), 3_000_000);
  await oracle.close();
});
