import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType, type KeyColumn } from '@elanus/model';
import { compilePredicate } from './compile.ts';
import { primaryKeysOf, requiredKeys } from './keys.ts';
import { planFilter, planningFilter } from './plan-filter.ts';
import type { Predicate } from './predicate.ts';
import type { TemplateValue } from './templates.ts';
import { columnsOf, DEMO_ROWS, demoSchema } from './testing/demo-rows.ts';

const schema = demoSchema('dynamic');
const byName = { ...schema, primaryKey: schema.fields.find(({ name }) => name === 'name')! };

/** The plan, and how often its making paused. */
function planInSlices(
  text: string,
  templates: ReadonlyMap<string, TemplateValue> = new Map(),
  from = schema,
): { predicate: Predicate; pauses: number } {
  const work = planningFilter(text, from, templates);
  for (let pauses = 0; ; pauses++) {
    const step = work.next();
    if (step.done) return { predicate: step.value!, pauses };
  }
}

function idsOf(predicate: Predicate): number[] {
  const matches = new Uint8Array(DEMO_ROWS.length);
  compilePredicate(predicate)(columnsOf(schema, DEMO_ROWS), 0, DEMO_ROWS.length, matches);
  return DEMO_ROWS.flatMap((row, index) => (matches[index] === 1 ? [row.id as number] : []));
}

const many = <Item>(itemOf: (index: number) => Item) => Array.from({ length: 50_000 }, (_, i) => itemOf(i));

const LONG: readonly (readonly [what: string, filter: string, ids: readonly number[]])[] = [
  ['integers', `id in [${many((i) => 2 * i)}]`, [2, 4, 6, 8, 10]],
  [
    'integers in two lists',
    `id in [${many((i) => 2 * i)}] or id in [${many((i) => 5 * i)}]`,
    [2, 4, 5, 6, 8, 10],
  ],
  ['spaced integers', `id not in [ ${many((i) => 2 * i).join(' , ')} , ]`, [1, 3, 5, 7, 9]],
  ['negative integers', `i8 in [${many((i) => -i)}] and id > 2`, [4, 7]],
  ['integers that end with a sum', `id in [${many((i) => i + 5)}, 1 + 2]`, [3, 5, 6, 7, 8, 9, 10]],
  ['numbers', `score in [${many((i) => i + 0.5)}, 1]`, [1, 2, 9]],
  ['integers beside doubles', `score in [${many((i) => i)}]`, [1, 5, 7, 8]],
  ['texts', `name in [${many((i) => `"key ${i}"`)}, "bob", "zoë"]`, [2, 6]],
  ['numbers and texts', `doc["a"] in [${many((i) => (i % 2 === 0 ? i : `"${i}"`))}]`, [3, 8]],
  ['integers in a document', `level in [${many((i) => i)}]`, [1, 3, 8, 9]],
  ['elements', `array_contains_any(nums, [${many((i) => i + 7)}])`, [4, 8]],
  [
    'alternatives',
    many((i) => `(age > ${i + 60} and id < 99)`)
      .slice(0, 9_000)
      .join(' or '),
    [9],
  ],
  [
    'negated alternatives',
    `not ((${many((i) => `i8 == ${i}`)
      .slice(0, 9_000)
      .join(' or ')}))`,
    [2, 7],
  ],
];
for (const [what, filter, ids] of LONG)
  test(`pauses on the way to a plan of many ${what}, which is the plan made at once`, () => {
    const { predicate, pauses } = planInSlices(filter);
    assert.ok(pauses >= 10, String(pauses));
    assert.deepEqual(idsOf(predicate), ids);
    assert.deepEqual(idsOf(planFilter(filter, schema)!), ids);
  });

test('lists in templates are looked at in slices, too', () => {
  const { predicate, pauses } = planInSlices('id in {ids}', new Map([['ids', many((i) => BigInt(3 * i))]]));
  assert.ok(pauses >= 10, String(pauses));
  assert.deepEqual(idsOf(predicate), [3, 6, 9]);
});

function keysIn(column: KeyColumn | null): readonly (bigint | string)[] {
  if (column?.dataType === DataType.Int64) return [...column.values];
  const { bytes, offsets, length } = column!;
  return Array.from({ length }, (_, i) =>
    Buffer.from(bytes.subarray(offsets[i]!, offsets[i + 1]!)).toString(),
  );
}

test('a long list of keys keeps its order and duplicates, and is required without them', () => {
  const numbers = many((i) => BigInt(i % 20_000));
  const integers = planInSlices(`id in [${numbers}]`).predicate;
  assert.deepEqual(keysIn(primaryKeysOf(integers)), numbers);
  assert.deepEqual(keysIn(requiredKeys(integers)), numbers.slice(0, 20_000));
  const words = many((i) => `ë${i % 20_000}`);
  const texts = planInSlices(`name in [${words.map((word) => `"${word}"`)}]`, new Map(), byName).predicate;
  assert.deepEqual(keysIn(primaryKeysOf(texts)), words);
  assert.deepEqual(keysIn(requiredKeys(texts)), words.slice(0, 20_000));
});

const WRONG: readonly (readonly [what: string, filter: string, fragment: RegExp])[] = [
  [
    'a name in a list',
    `id in [${many((i) => i)}, age]`,
    /array element type must be generic value, but got: age/,
  ],
  [
    'a text in a list',
    `id in [${many((i) => i)}, "a"]`,
    /value 'string_val:"a"' in list cannot be casted to Int64/,
  ],
  [
    'integers for a text',
    `name in [${many((i) => i)}]`,
    /value 'int64_val:0' in list cannot be casted to VarChar/,
  ],
  ['an integer too large', `id in [${many((i) => i)}, 9223372036854775808]`, /value out of range/],
  ['a list without an end', `id in [${many((i) => i)}`, /line 1:\d+ /],
  ['something behind the filter', `id in [${many((i) => i)}] x`, /invalid expression/],
  ['endless sums', `id == 1${many(() => ' + 1').join('')}`, /nested deeper than 1000 levels/],
  [
    'lists of lists',
    `doc["a"] in [${many((i) => `[${i}]`)}]`,
    /more than 16384 parts between two of and, or/,
  ],
  [
    'more lists than one may have',
    `id in [${Array(41)
      .fill(many((i) => i).join())
      .join()}]`,
    /more than 2000000 list/,
  ],
];
for (const [what, filter, fragment] of WRONG)
  test(`a long filter with ${what} is refused`, () => {
    assert.throws(() => planInSlices(filter), fragment);
  });
