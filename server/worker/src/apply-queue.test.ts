import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AssertionError, type Timestamp } from '@elanus/model';
import { ApplyQueue } from './apply-queue.ts';

const at = (timestamp: bigint): Timestamp => timestamp as Timestamp;

describe('an apply queue', () => {
  it('runs one thing after the other, whatever becomes of them', async () => {
    const queue = new ApplyQueue();
    const events: string[] = [];
    const slow = queue.push(at(1n), async () => {
      events.push('slow begins');
      await new Promise((resolve) => setImmediate(resolve));
      events.push('slow ends');
    });
    const failing = queue.push(at(2n), async () => {
      events.push('failing');
      throw new Error('no');
    });
    const last = queue.push(null, async () => events.push('last'));
    await assert.rejects(failing, /no/);
    await Promise.all([slow, last]);
    assert.deepEqual(events, ['slow begins', 'slow ends', 'failing', 'last']);
  });

  it('tells when everything up to a time has settled, and waits for nothing behind it', async () => {
    const queue = new ApplyQueue();
    const gate = Promise.withResolvers<void>();
    void queue.push(at(10n), async () => {});
    void queue.push(at(20n), () => gate.promise);
    assert.equal(queue.reached(at(9n)), null);
    await queue.reached(at(15n));
    assert.equal(queue.reached(at(15n)), null);
    let reached = false;
    const waiting = queue.reached(at(20n))!.then(() => {
      reached = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(reached, false);
    gate.resolve();
    await waiting;
    await queue.drained();
    assert.equal(queue.reached(at(1_000n)), null);
  });

  it('refuses a time that does not grow', () => {
    const queue = new ApplyQueue();
    void queue.push(at(10n), async () => {});
    assert.throws(() => queue.push(at(10n), async () => {}), AssertionError);
  });
});
