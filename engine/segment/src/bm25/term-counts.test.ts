import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '@elanus/runtime';
import { TermCounts } from './term-counts.ts';

test('counts like a map, dimensions 0 and 2^32 - 2 included', () => {
  const random = seededRandom(1);
  const counts = new TermCounts();
  const expected = new Map<number, number>([
    [0, 0],
    [2 ** 32 - 2, 0],
  ]);
  let last: readonly number[] = [...expected.keys()];
  for (let step = 0; step < 50_000; step++) {
    const known = step % 64 === 0 ? [...expected.keys()] : last;
    last = known;
    const isNew = step % 7 === 0 && known.length < 3_000;
    const dimension = isNew ? random.below(2 ** 31) * 2 : known[random.below(known.length)]!;
    const count = expected.get(dimension) ?? 0;
    const isRemoved = count > 0 && random.chance(0.4);
    if (isRemoved) counts.remove(dimension);
    else counts.add(dimension);
    expected.set(dimension, count + (isRemoved ? -1 : 1));
  }
  for (const [dimension, count] of expected) assert.equal(counts.of(dimension), count, String(dimension));
  assert.equal(counts.of(1), 0);
});
