import assert from 'node:assert/strict';
import test from 'node:test';
import { MilvusError } from '@elanus/model';
import fc from 'fast-check';
import { compilePredicate } from './compile.ts';
import { FILTER_LIMITS } from './limits.ts';
import { parse, parsing } from './parser.ts';
import { planFilter, planningFilter } from './plan-filter.ts';
import { columnsOf, DEMO_ROWS, demoSchema } from './testing/demo-rows.ts';
import { runAtOnce } from './work.ts';

const schema = demoSchema('dynamic');

function refusalOf(text: string, how: 'at once' | 'in slices' = 'at once'): string {
  try {
    if (how === 'at once') planFilter(text, schema);
    else runAtOnce(planningFilter(text, schema));
  } catch (error) {
    assert.ok(error instanceof MilvusError, String(error));
    assert.equal(error.code, 1100);
    return error.message;
  }
  assert.fail('accepted');
}

const DEEP = 200_000;
const TOO_DEEP: Readonly<Record<string, string>> = {
  parentheses: `${'('.repeat(DEEP)}id == 1${')'.repeat(DEEP)}`,
  negations: `${'not '.repeat(DEEP)}(id == 1)`,
  signs: `id == ${'- '.repeat(DEEP)}1`,
  lists: `doc == ${'['.repeat(DEEP)}`,
  calls: `${'array_length('.repeat(DEEP)}`,
  sums: `id == 1${' + 1'.repeat(DEEP)}`,
  comparisons: `id${' == id'.repeat(DEEP)}`,
  existence: 'exists '.repeat(DEEP),
};
for (const [what, text] of Object.entries(TOO_DEEP))
  test(`refuses endlessly nested ${what}`, () => {
    assert.match(refusalOf(text, 'at once'), /nested deeper than 1000 levels/);
    assert.match(refusalOf(text, 'in slices'), /nested deeper than 1000 levels|more than 65536 parts/);
  });

test('takes every depth up to the limit through all passes', () => {
  const depth = FILTER_LIMITS.heightMax - 10;
  const nested = `${'not ('.repeat(depth / 2)}id == 1${')'.repeat(depth / 2)}`;
  let alternating = 'id == 1';
  for (let i = 0; i < depth / 2; i++)
    alternating = `(${alternating}) ${i % 2 === 0 ? 'and' : 'or'} age > ${i}`;
  const matches = new Uint8Array(DEMO_ROWS.length);
  for (const text of [nested, alternating])
    compilePredicate(planFilter(text, schema)!)(columnsOf(schema, DEMO_ROWS), 0, DEMO_ROWS.length, matches);
});

test('a flat filter of many alternatives is not deep', () => {
  const text = Array.from({ length: 10_000 }, (_, i) => `id == ${i}`).join(' or ');
  assert.equal(planFilter(text, schema)!.condition.kind, 'in');
});

test('refuses more parts than memory is meant for', () => {
  assert.match(refusalOf(`id == 1${' or id == 1'.repeat(FILTER_LIMITS.nodesMax)}`), /more than 65536 parts/);
});

test('does not repeat megabytes in its message', () => {
  const message = refusalOf(`id in [${'1, '.repeat(100_000)} x]`);
  assert.ok(message.length < 3 * FILTER_LIMITS.messageTextMax, String(message.length));
});

test('refuses a run between two % that would be slow to look for, not a long equality', () => {
  const long = 'a'.repeat(FILTER_LIMITS.likeInfixBytesMax + 1);
  assert.match(refusalOf(`name like "%${long}%"`), /more than 1024 bytes between two %/);
  assert.ok(planFilter(`name like "${long}"`, schema));
});

test('answers each text with a filter or with a MilvusError', () => {
  const fragments = [
    ...[
      'id',
      'age',
      'name',
      'doc["a"]',
      'nums[0]',
      '$meta["x"]',
      '$meta',
      '{t}',
      'null',
      'true',
      'is null',
      'exists',
    ],
    ...[
      '1',
      '-1',
      '0x',
      '08',
      '1.5e',
      '1e999',
      '9223372036854775808',
      '"a"',
      "'\\u00e9'",
      '"\\q"',
      '"',
      'r"\\"',
      '[',
      ']',
    ],
    ...[
      '(',
      ')',
      ',',
      '==',
      '!=',
      '<',
      '<=',
      '>',
      'in',
      'not',
      'and',
      'or',
      'like',
      '+',
      '-',
      '*',
      '/',
      '%',
      '**',
      '~',
    ],
    ...[
      '&',
      '|',
      '^',
      '<<',
      '>>',
      '=~',
      '$',
      '$[a]',
      'array_length(nums)',
      'text_match(body, "quick")',
      'phrase_match(body, {t})',
      'random_sample(0.5)',
      'match_any(nums, ',
      'element_filter(tags, $ == "a")',
      'st_within(area, "POINT (1 2)")',
      'threshold=',
      "ISO '2025-01-01T00:00:00Z'",
      "INTERVAL 'P1M'",
      'time',
      'array_length',
      'json_contains',
      'f',
      'ISO',
      ' ',
      '\n',
      'é',
      '数',
      '\u0000',
    ],
  ];
  const text = fc.array(fc.constantFrom(...fragments), { maxLength: 12 }).map((parts) => parts.join(' '));
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (candidate) => {
      try {
        const predicate = planFilter(candidate, schema, new Map([['t', 1n]]));
        if (predicate !== null) assert.deepEqual(runAtOnce(parsing(candidate)), parse(candidate));
        if (predicate !== null)
          compilePredicate(predicate)(columnsOf(schema, DEMO_ROWS), 0, 10, new Uint8Array(10));
      } catch (error) {
        if (!(error instanceof MilvusError)) throw error;
      }
    }),
    { numRuns: 5_000 },
  );
});
