import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '@elanus/runtime';
import { LoopShare } from './loop-share.ts';

describe('the share of the event loop', () => {
  it('is spent by all who use it together, and full again in the next turn', async () => {
    const clock = new ManualClock();
    const share = new LoopShare(clock);
    assert.equal(share.isSpent(), false);
    clock.advance(2);
    assert.equal(share.isSpent(), false);
    clock.advance(2);
    assert.equal(share.isSpent(), true);
    await turn();
    assert.equal(share.isSpent(), false);
  });

  it('goes to one waiter a turn, in the order they came', async () => {
    const clock = new ManualClock();
    const share = new LoopShare(clock);
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      await share.nextTurn();
      order.push(number);
    });
    const lengths: number[] = [];
    while (order.length < 3) {
      lengths.push(order.length);
      await turn();
    }
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2, 3]);
    for (const length of [1, 2]) assert.ok(lengths.includes(length), `${length} after some turn: ${lengths}`);
  });

  it('is not waited for by those who have given up', async () => {
    const share = new LoopShare(new ManualClock());
    const controller = new AbortController();
    const waiting = share.nextTurn(controller.signal);
    controller.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    await assert.rejects(share.nextTurn(controller.signal), /gone/);
  });
});
