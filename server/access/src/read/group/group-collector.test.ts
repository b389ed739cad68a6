import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GroupCollector } from './group-collector.ts';

/** As the documentation has it. */
function grouped(values: readonly number[], groups: number, size: number, isStrict: boolean): number[][] {
  const found = new Map<number, number[]>();
  for (const [place, value] of values.entries()) {
    if (!found.has(value) && found.size === groups) continue;
    const group = found.get(value) ?? [];
    found.set(value, group);
    if (group.length < size) group.push(place);
    const isFull = [...found.values()].every(({ length }) => length === size);
    if (found.size === groups && (!isStrict || isFull)) break;
  }
  return [...found.values()];
}

test('takes hits until there are as many groups as wanted, and until they are full where that is asked for', () => {
  const options = fc.record({
    groups: fc.integer({ min: 1, max: 5 }),
    size: fc.integer({ min: 1, max: 3 }),
    isStrict: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 40 }), options, (values, wanted) => {
      const collector = new GroupCollector(wanted);
      for (const [place, value] of values.entries()) {
        if (collector.isDone) break;
        collector.take([BigInt(value)], { list: 0, place });
      }
      const places = collector.groups.map(({ hits }) => hits.map(({ place }) => place));
      assert.deepEqual(places, grouped(values, wanted.groups, wanted.size, wanted.isStrict));
    }),
  );
});

test('knows where to look further', () => {
  const collector = new GroupCollector({ groups: 3, size: 2, isStrict: true });
  collector.take(['a'], { list: 0, place: 0 });
  assert.deepEqual(collector.openGroups(), { relation: 'anywhere', groups: [] });
  collector.take(['a'], { list: 0, place: 1 });
  collector.take([null], { list: 0, place: 2 });
  assert.deepEqual(collector.openGroups(), { relation: 'outside', groups: [['a']] });
  collector.take(['b'], { list: 0, place: 3 });
  assert.deepEqual(collector.openGroups(), { relation: 'within', groups: [[null], ['b']] });
  collector.take(['b'], { list: 1, place: 0 });
  collector.take([null], { list: 1, place: 1 });
  assert.ok(collector.isDone);
});
