import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@elanus/runtime';
import { LoopDelays } from './loop-delays.ts';

const HELD_MS = 60;

/** The loop does nothing else. */
function hold(): void {
  const untilMs = systemClock.monotonicMs() + HELD_MS;
  while (systemClock.monotonicMs() < untilMs);
}

test('a loop that is held is seen to be late, until the figures are forgotten', async () => {
  const delays = new LoopDelays(systemClock);
  delays.start();
  const untilMs = systemClock.monotonicMs() + 30_000;
  while (delays.percentile(100) < (HELD_MS - 5) / 1000 && systemClock.monotonicMs() < untilMs) {
    hold();
    await sleep(1);
  }
  const longest = delays.percentile(100);
  assert.ok(longest >= (HELD_MS - 5) / 1000, `late by ${longest} s at most`);
  assert.ok(delays.percentile(50) <= longest);
  delays.reset();
  assert.equal(delays.percentile(100), 0);
});
