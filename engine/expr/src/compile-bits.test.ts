import assert from 'node:assert/strict';
import test from 'node:test';
import { compilePredicate } from './compile.ts';
import { planFilter } from './plan-filter.ts';
import { columnsOf, DEMO_ROWS, demoSchema } from './testing/demo-rows.ts';

const schema = demoSchema('dynamic');
/** The rows three times over, so that they fill some bytes and begin another. */
const rows = [...DEMO_ROWS, ...DEMO_ROWS, ...DEMO_ROWS];

/** Of fewer bytes than are compared at once, of as many, and of more. */
const TEXTS = ['b', 'bo', 'bob', 'ali', 'alic', 'alice', 'alice!', 'zoë', 'n'];

const FILTERS = [
  ...['id', 'i8', 'age', 'score'].flatMap((name) => [
    `${name} == 3`,
    `${name} != 3`,
    `${name} < 3`,
    `not (${name} >= 3)`,
    `${name} in [1, 2, 3]`,
    `${name} in [1, 2, 3, 4, 5, 18, 19]`,
    `${name} not in [1, 2, 3, 4, 5, 18, 19]`,
    `1 <= ${name} < 19`,
    `${name} + 1 == 3`,
    `${name} in []`,
  ]),
  'id < 9 and (age > 17 or score < 2.5) and not (i8 == 2)',
  'id > 2 or age in [18, 30]',
  ...['name', 'nick'].flatMap((name) => [
    `${name} == ""`,
    `${name} like ""`,
    `not (${name} == "")`,
    ...TEXTS.flatMap((text) => [
      `${name} == "${text}"`,
      `${name} != "${text}"`,
      `${name} like "${text}%"`,
      `not (${name} like "${text}%")`,
      `id > 2 and (${name} == "${text}" or ${name} like "${text}")`,
    ]),
  ]),
];

test('bits are the answers that bytes are', () => {
  const source = columnsOf(schema, rows);
  for (const text of FILTERS) {
    const filter = compilePredicate(planFilter(text, schema)!);
    assert.ok(filter.bits !== undefined, text);
    for (const [start, end] of [
      [0, rows.length],
      [3, rows.length],
      [8, 17],
      [5, 5],
    ] as const) {
      const bytes = new Uint8Array(end - start);
      filter(source, start, end, bytes);
      const bits = new Uint8Array(8).fill(0xff);
      filter.bits({ source, start, end }, bits, 1);
      const wanted = new Uint8Array(8).fill(0xff);
      wanted.fill(0, 1, 1 + Math.ceil(bytes.length / 8));
      for (const [i, byte] of bytes.entries()) wanted[1 + (i >> 3)]! |= byte << (i & 7);
      assert.deepEqual(bits, wanted, `${text}, rows ${start} to ${end}`);
    }
  }
});

test('filters that look through texts or into documents answer in bytes alone', () => {
  for (const text of ['name like "%b%"', 'name > "bob"', 'id > 2 and doc["a"] == 1', 'age is null'])
    assert.equal(compilePredicate(planFilter(text, schema)!).bits, undefined, text);
});
