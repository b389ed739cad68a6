import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferWatch } from './buffer-watch.ts';

/** At which looks a collection is worth it; buffers in MiB. */
function worthAt(...looks: readonly number[]): readonly number[] {
  const watch = new BufferWatch();
  return looks.flatMap((mib, at) => (watch.look(mib * 1024 * 1024) ? [at] : []));
}

test('garbage is worth a collection once requests have ceased', () => {
  assert.deepEqual(worthAt(10, 10, 10.5, 10), []);
  assert.deepEqual(worthAt(10, 20, 35, 48, 48.1, 48.1, 48.2), [4]);
  assert.deepEqual(worthAt(10, 20, 20, 12, 12, 30, 30), [2, 6]);
});

test('while requests go on coming it takes more', () => {
  assert.deepEqual(worthAt(10, 40, 60, 75, 90, 110, 145), [3, 6]);
});

test('what V8 is given to make it look is no growth', () => {
  assert.deepEqual(worthAt(10, 30, 30, 286, 286, 12, 12), [2]);
});
