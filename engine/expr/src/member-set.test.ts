import assert from 'node:assert/strict';
import test from 'node:test';
import type { MilvusError } from '@elanus/model';
import fc from 'fast-check';
import { compilePredicate } from './compile.ts';
import { FilterError } from './filter-error.ts';
import { readingMemberSet } from './member-set.ts';
import { planFilter, planningFilter } from './plan-filter.ts';
import { hasInteger } from './roaring-set.ts';
import { columnsOf, DEMO_ROWS, demoSchema } from './testing/demo-rows.ts';
import { packedBloom, packedRoaring } from './testing/packed-sets.ts';
import { runAtOnce } from './work.ts';

const schema = demoSchema('dynamic');
const source = columnsOf(schema, DEMO_ROWS);

function idsOf(text: string, set: Uint8Array): number[] {
  const matches = new Uint8Array(DEMO_ROWS.length);
  const templates = new Map([['set', set]]);
  for (const predicate of [
    planFilter(text, schema, templates)!,
    runAtOnce(planningFilter(`${text}${' '.repeat(20_000)}`, schema, templates))!,
  ]) {
    compilePredicate(predicate)(source, 0, DEMO_ROWS.length, matches);
    if (text.includes('bloom')) assert.ok(!predicate.isExact);
  }
  return DEMO_ROWS.filter((_, at) => matches[at] === 1).map(({ id }) => id as number);
}

const FOUND: readonly (readonly [filter: string, set: Uint8Array, ids: readonly number[]])[] = [
  ['membership_match(id, {set})', packedRoaring([1n, 3n, 99n]), [1, 3]],
  ['membership_match(id, {set}, type=roaring)', packedRoaring([]), []],
  ['not membership_match(id, {set})', packedRoaring([1n, 3n]), [2, 4, 5, 6, 7, 8, 9, 10]],
  ['MEMBERSHIP_MATCH(i8, {set}, type=ROARING)', packedRoaring([-5n, -128n, 251n]), [2, 7]],
  ['membership_match(age, {set})', packedRoaring([18n, 60n]), [1, 6, 7]],
  ['not membership_match(age, {set}) and id < 5', packedRoaring([18n]), [2, 4]],
  ['membership_match(id, {set}, type=bloom)', packedBloom([2n, 7n], 8), [2, 7]],
  ['membership_match(i8, {set}, type=bloom)', packedBloom([-5n, 100n], 8), [2, 6]],
  ['membership_match(name, {set}, type=bloom)', packedBloom(['bob', 'zoë', ''], 8), [2, 6, 7]],
  ['not membership_match(nick, {set}, type=bloom)', packedBloom(['al', 'q'], 8), [3, 4, 5, 7, 9]],
  ['membership_match(id, {set}, type=bloom)', packedBloom([], 1), []],
  // 1.0 is no integer here, "1" is a text, and what is neither is unknown.
  ['membership_match(doc["a"], {set}, type=bloom)', packedBloom([1n, -3n], 8), [1, 9]],
  ['not membership_match(doc["a"], {set}, type=bloom)', packedBloom([1n], 8), [2, 3, 8, 9]],
  ['membership_match(doc["a"], {set}, type=bloom)', packedBloom(['1'], 8), [3]],
  ['membership_match(color, {set}, type=bloom)', packedBloom(['red', 'RED'], 8), [1, 5, 10]],
  ['membership_match($meta["level"], {set}, type=bloom)', packedBloom([2n, '1'], 8), [5, 9]],
];

for (const [filter, set, ids] of FOUND)
  test(`${filter} finds ${ids.length === 0 ? 'nothing' : ids}`, () =>
    assert.deepEqual(idsOf(filter, set), ids));

const REFUSED: readonly (readonly [filter: string, value: Uint8Array | bigint, fragment: string])[] = [
  ['membership_match(id, {set})', 1n, 'must be a client pre-built membership filter blob (bytes)'],
  ['membership_match(id, [1, 2])', 1n, 'the second argument of membership_match must be a {template}'],
  ['membership_match(id)', 1n, 'requires exactly 2 positional arguments'],
  ['membership_match(id + 1, {set})', packedRoaring([]), 'does not support nested paths'],
  ['membership_match(nums[0], {set})', packedBloom([1n], 1), 'does not support nested paths'],
  ['membership_match(1, {set})', packedRoaring([]), 'must be a scalar field name, got: 1'],
  ['membership_match(name, {set})', packedRoaring([]), 'field (name) is of type VarChar'],
  ['membership_match(score, {set})', packedBloom([1n], 1), 'field (score) is of type Double'],
  [
    'membership_match(doc["a"], {set})',
    packedRoaring([]),
    'not supported on JSON or dynamic fields, got: doc["a"]',
  ],
  ['membership_match(name, {set})', packedBloom([1n], 1), 'was built from the int64 value domain'],
  ['membership_match(id, {set})', packedBloom(['1'], 1), 'was built from the utf8 value domain'],
  [
    'membership_match(id, {set}, type=bloom)',
    packedRoaring([]),
    'type "bloom" does not match filter blob format',
  ],
  ['membership_match(id, {set}, type=cuckoo)', packedRoaring([]), 'type must be bloom or roaring'],
  ['membership_match(id, {set}, threshold=1)', packedRoaring([]), 'type must be bloom or roaring'],
  ['match_any(nums, membership_match($, {set}))', packedRoaring([]), 'is not supported inside match_any'],
  ['membership_match(id, {set})', Buffer.from('MRB'), 'is 3 bytes, too short to carry a format header'],
  ['membership_match(id, {set})', Buffer.from('ZIP!....'), 'has unknown format magic'],
  ['bloom_match(id, {set})', packedBloom([1n], 1), 'unknown function: bloom_match'],
  ['id == {set}', packedBloom([1n], 1), 'comparisons between Int64 and Bytes are not supported'],
  ['id in {set}', packedBloom([1n], 1), "the right-hand side of 'in' must be a list"],
];

for (const [filter, value, fragment] of REFUSED)
  test(`${filter} is refused: ${fragment}`, () => {
    assert.throws(
      () => planFilter(filter, schema, new Map([['set', value]])),
      (error: MilvusError) => error.code === 1100 && error.message.includes(fragment),
    );
  });

test('type and membership_match remain names of fields', () => {
  for (const text of ['type == 1', 'membership_match == 1', 'json_contains(type, 1)', 'exists type'])
    assert.ok(planFilter(text, schema) !== null, text);
});

const integer = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -70_000n, max: 70_000n }),
);
/** Scattered integers, and stretches of them that make long runs and full containers. */
const integers = fc
  .tuple(fc.array(integer, { maxLength: 40 }), fc.array(fc.tuple(integer, fc.nat(6_000)), { maxLength: 3 }))
  .map(([alone, stretches]) => [
    ...alone,
    ...stretches.flatMap(([from, length]) =>
      Array.from({ length }, (_, i) => BigInt.asIntN(64, from + BigInt(i) * (length % 3 === 0 ? 2n : 1n))),
    ),
  ]);

test('a bitmap holds what was packed and nothing else, whatever the forms of its containers', () => {
  fc.assert(
    fc.property(
      integers,
      fc.array(fc.constantFrom('runs', 'plain')),
      fc.array(integer),
      (values, forms, others) => {
        const blob = packedRoaring(values, (container) => forms[container % forms.length] ?? 'plain');
        const set = runAtOnce(readingMemberSet(blob));
        assert.ok(set.kind === 'roaring');
        const packed = new Set(values);
        for (const value of [...values, ...others, ...others.map((other) => other + 1n)]) {
          const bits = BigInt.asIntN(64, value);
          const isIn = hasInteger(
            set,
            Number(BigInt.asIntN(32, bits >> 32n)),
            Number(BigInt.asIntN(32, bits)),
          );
          assert.equal(isIn, packed.has(bits), String(bits));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('damaged and cut sets are refused by a typed error, or read within their bounds', () => {
  const blobs = [
    packedBloom([1n, 2n, 'a'], 4),
    packedRoaring([1n, 2n, 3n, 65_536n, -1n]),
    packedRoaring(
      Array.from({ length: 9_000 }, (_, i) => BigInt(2 * i + 60_000)),
      (i) => (i === 0 ? 'runs' : 'plain'),
    ),
    packedRoaring(
      Array.from({ length: 6 }, (_, i) => BigInt(i) << 16n),
      () => 'runs',
    ),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...blobs), fc.nat(), fc.nat(255), fc.nat(), (blob, at, byte, cut) => {
      for (const damaged of [Buffer.from(blob), Buffer.from(blob.subarray(0, cut % blob.length))]) {
        if (damaged.length > 0) damaged[at % damaged.length] = byte;
        try {
          const set = runAtOnce(readingMemberSet(damaged));
          if (set.kind === 'roaring') for (const low of [0, 1, 65_535, 131_072]) hasInteger(set, 0, low);
        } catch (error) {
          assert.ok(error instanceof FilterError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});
