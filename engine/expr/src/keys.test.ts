import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType, type KeyColumn } from '@elanus/model';
import { keyBounds, primaryKeysOf, requiredKeys, requiredValues } from './keys.ts';
import { planFilter } from './plan-filter.ts';
import { demoSchema } from './testing/demo-rows.ts';

const byNumber = demoSchema('dynamic');
const byName = { ...byNumber, primaryKey: byNumber.fields.find(({ name }) => name === 'name')! };

function keysIn(column: KeyColumn | null): readonly (bigint | string)[] | null {
  if (column === null) return null;
  if (column.dataType === DataType.Int64) return [...column.values];
  const { bytes, offsets } = column;
  return Array.from({ length: column.length }, (_, i) =>
    Buffer.from(bytes.subarray(offsets[i]!, offsets[i + 1]!)).toString(),
  );
}

const CASES: readonly {
  filter: string;
  listed: readonly bigint[] | null;
  required: readonly bigint[] | null;
}[] = [
  { filter: 'id == 3', listed: [3n], required: [3n] },
  { filter: '3 == id', listed: [3n], required: [3n] },
  { filter: '(id in [2, 1, 2])', listed: [2n, 1n, 2n], required: [2n, 1n] },
  { filter: 'not (id != 3)', listed: [3n], required: [3n] },
  { filter: 'not (id not in [3])', listed: [3n], required: [3n] },
  { filter: 'true and id == 3', listed: [3n], required: [3n] },
  { filter: 'id == 3 or id in [1, 2] or 3 == id', listed: [3n, 1n, 2n, 3n], required: [3n, 1n, 2n] },
  { filter: 'id in []', listed: [], required: [] },
  { filter: 'id in [1, 2] and age > 3', listed: null, required: [1n, 2n] },
  { filter: 'age > 3 and (id in [1, 2] and id == 2)', listed: null, required: [2n] },
  { filter: 'id in [1, 2] or age > 3', listed: null, required: null },
  { filter: 'not (id in [1, 2])', listed: null, required: null },
  { filter: 'id > 3', listed: null, required: null },
  { filter: 'id + 1 == 3', listed: null, required: null },
  { filter: 'age == 3', listed: null, required: null },
];
for (const { filter, listed, required } of CASES)
  test(`${filter} lists ${listed ?? 'no keys'} and requires ${required ?? 'none'}`, () => {
    const predicate = planFilter(filter, byNumber)!;
    assert.deepEqual(keysIn(primaryKeysOf(predicate)), listed);
    assert.deepEqual(keysIn(requiredKeys(predicate)), required);
  });

test('keys may be texts', () => {
  const predicate = planFilter('name in ["é", "", "b"]', byName)!;
  assert.deepEqual(keysIn(primaryKeysOf(predicate)), ['é', '', 'b']);
});

test('the values that another field must have are known, too', () => {
  const predicate = planFilter('tags[0] == "x" and nick in ["b", "a", "b"]', byNumber)!;
  const nick = byNumber.fields.find(({ name }) => name === 'nick')!;
  assert.deepEqual(keysIn(requiredValues(predicate, nick)), ['b', 'a']);
});

const BOUNDS: readonly { readonly filter: string; readonly bounds: readonly string[] }[] = [
  { filter: 'id > 3', bounds: ['> 3'] },
  { filter: '3 >= id', bounds: ['<= 3'] },
  { filter: 'id > 3 and (age == 1 and id <= 9)', bounds: ['<= 9', '> 3'] },
  { filter: '3 < id <= 9', bounds: ['<= 9', '> 3'] },
  { filter: 'not (id <= 3)', bounds: [] },
  { filter: 'id > 3 and id > 5', bounds: ['> 3', '> 5'] },
  { filter: 'id > 3 or id < 1', bounds: [] },
  { filter: 'id == 3 and age > 2', bounds: [] },
  { filter: 'id + 1 > 3', bounds: [] },
  { filter: 'age > 3', bounds: [] },
];
for (const { filter, bounds } of BOUNDS)
  test(`${filter} lets keys lie ${bounds.join(' and ') || 'anywhere'}`, () => {
    const found = keyBounds(planFilter(filter, byNumber)!).map(
      ({ side, key, isIncluded }) => `${side === 'lower' ? '>' : '<'}${isIncluded ? '=' : ''} ${keysIn(key)}`,
    );
    assert.deepEqual(found.sort(), bounds);
  });

test('bounds may be texts', () => {
  const [bound, ...others] = keyBounds(planFilter('name > "é" and age > 1', byName)!);
  assert.deepEqual(others, []);
  assert.deepEqual([bound!.side, bound!.isIncluded, keysIn(bound!.key)], ['lower', false, ['é']]);
});
