import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSegmentThreads } from './open-threads.ts';

const NOTHING = { kind: 'filter', condition: { kind: 'never' }, blocks: [] } as const;
const MISTAKE = { kind: 'verify', path: '/nowhere/at/all' } as const;

describe('threads', () => {
  it('answer many tasks, and tell of those that fail', async () => {
    await using threads = openSegmentThreads(2, 'low');
    assert.ok(!threads.isWarm);
    await threads.warmUp(NOTHING);
    assert.ok(threads.isWarm);
    const tasks = Array.from({ length: 20 }, (_, i) => threads.run(i % 5 === 0 ? MISTAKE : NOTHING));
    const settled = await Promise.allSettled(tasks);
    for (const [i, { status }] of settled.entries())
      assert.equal(status, i % 5 === 0 ? 'rejected' : 'fulfilled');
    assert.deepEqual(await threads.run(NOTHING), { kind: 'filter', counts: [] });
  });

  it('leave out tasks whose client has gone, and end with all that wait', async () => {
    const threads = openSegmentThreads(1);
    const gone = new AbortController();
    const first = threads.run(NOTHING);
    const second = threads.run(NOTHING, gone.signal);
    gone.abort(new Error('gone'));
    await first;
    await assert.rejects(second, /gone/);
    const waiting = [threads.run(NOTHING), threads.run(NOTHING)];
    await Promise.all([
      threads[Symbol.asyncDispose](),
      ...waiting.map((task) => assert.rejects(task, /ended/)),
    ]);
    await assert.rejects(threads.run(NOTHING), /ended/);
  });
});
