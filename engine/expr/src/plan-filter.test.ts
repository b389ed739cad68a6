import assert from 'node:assert/strict';
import test from 'node:test';
import { MilvusError } from '@elanus/model';
import { compilePredicate } from './compile.ts';
import { planFilter } from './plan-filter.ts';
import type { TemplateValue } from './templates.ts';
import { columnsOf, DEMO_ROWS, demoSchema } from './testing/demo-rows.ts';

type Templates = Readonly<Record<string, TemplateValue>>;

/** The ids of the demo rows that `text` keeps. */
function idsOf(text: string, templates: Templates = {}): number[] {
  const schema = demoSchema('dynamic');
  const predicate = planFilter(text, schema, new Map(Object.entries(templates)));
  if (predicate === null) return DEMO_ROWS.map((row) => row.id as number);
  const matches = new Uint8Array(DEMO_ROWS.length).fill(7);
  compilePredicate(predicate)(columnsOf(schema, DEMO_ROWS), 0, DEMO_ROWS.length, matches);
  return DEMO_ROWS.flatMap((row, index) => (matches[index] === 1 ? [row.id as number] : []));
}

function refusalOf(
  text: string,
  templates: Templates = {},
  dynamic: 'dynamic' | 'fixed' = 'dynamic',
): MilvusError {
  try {
    planFilter(text, demoSchema(dynamic), new Map(Object.entries(templates)));
  } catch (error) {
    assert.ok(error instanceof MilvusError, String(error));
    return error;
  }
  assert.fail(`${text} is accepted`);
}

/** What the reference table of the language leaves out. */
const KEPT: readonly (readonly [filter: string, ids: readonly number[]])[] = [
  // Regular expressions
  ['nick !~ "^[a-z]"', [3]],
  ["name =~ 'ali\\\"ce'", [8]],
  ['name =~ "\\\\\\\\"', [9]],
  ['name =~ "^\\w+$"', [1, 2, 3, 5, 10]],
  ['name =~ r"^\\w+$"', [1, 2, 3, 5, 10]],
  ['doc["s"] =~ "^x"', [1, 9]],
  ['not (color =~ "e")', [10]],
  ['tags[0] =~ "^[ab]$"', [1, 2, 4, 6, 8, 9]],
  ['name =~ "^.{3}$"', [2, 5, 6]],
  // Text
  ['text_match(body, "the FOX", minimum_should_match=3)', []],
  ['text_match(body, "fox fox", minimum_should_match=2)', []],
  ['phrase_match(body, "")', []],
  ['phrase_match(body, "fox quick", 1)', []],
  ['phrase_match(body, "fox quick", 2)', [2]],
  ['phrase_match(body, "the dog", 2)', [7]],
  ['not phrase_match(body, "fox fox")', [1, 2, 3, 4, 5, 7, 8, 9, 10]],
  ['phrase_match(body, "fox fox")', [6]],
  // Words that are operators only where they are called
  ['iso == 1 or interval == 2 or threshold == 3 or match_any == 4 or st_within == 5', []],
  // Elements
  ['match_any(nums, $ > 8)', [4, 8]],
  ['match_all(tags, $ == "a" or $ == "b")', [1, 2, 3, 6, 8, 9]],
  ['not match_all(nums, 0 < $ < 4)', [4, 5, 7, 8]],
  ['match_most(nums, $ % 2 == 1, threshold=1)', [2, 4, 7, 9, 10]],
  ['match_exact(tags, $ in ["a", "b"], threshold=2)', [1, 4, 6, 9]],
  ['match_any(tags, $ like "long%") or id == 1', [1, 7]],
  ['match_any(nums, true and not ($ != 10))', [4, 8]],
  ['match_any(tags, $ =~ "^[A-Z]$")', [10]],
];

const REFUSED: readonly (readonly [filter: string, fragment: string])[] = [
  ['name =~ nick', 'regex pattern should be a string literal or template variable, got: nick'],
  ['age =~ "1"', 'regex match on non-string or non-json field is unsupported'],
  ['id + 1 =~ "1"', 'regex match on non-string or non-json field is unsupported'],
  ['name =~ "(?=a)"', 'invalid regex pattern'],
  ['name =~ "(a)\\1"', 'invalid regex pattern'],
  ['name =~ "((a{99}){99}){99}"', 'invalid regex pattern'],
  ['name =~ "(a{1000}){2}"', 'invalid regex pattern'],
  ['text_match(nosuch, "a")', 'text match operation on non-string is unsupported'],
  ['text_match(body, name)', 'should be a string, but got: name'],
  ['text_match(body, "a", threshold=1)', 'text_match has no option threshold'],
  ['text_match(body, "a", minimum_should_match=1.5)', 'should be a const integer'],
  ['text_match(text, "a")', 'field "text" does not enable match'],
  ['phrase_match(body, "a", 4294967296)', '"slop" exceeds the range of "uint32"'],
  ['phrase_match(body, "a", 1.5)', '"slop" should be a const integer expression with "uint32" value'],
  ['Text_Match(body, "a")', 'unknown function: text_match'],
  ['text_match_fuzzy(body, "a")', 'text_match_fuzzy needs a max_edit_distance'],
  [
    'text_match_fuzzy(body, "a", max_edit_distance=3)',
    'max_edit_distance should be an integer between 0 and 2',
  ],
  ['text_match_fuzzy(name, "a", max_edit_distance=1)', 'field "name" does not enable match'],
  [
    'text_match_fuzzy(id, "a", max_edit_distance=1)',
    'text match fuzzy operation on non-string is unsupported',
  ],
  [
    'text_match_fuzzy(body, "a", minimum_should_match=1)',
    'text_match_fuzzy has no option minimum_should_match',
  ],
  ['id > 5 and not random_sample(0.5)', 'cannot be used in unary expression'],
  ['not (id > 5 and random_sample(0.5))', 'cannot be used in unary expression'],
  ['id < 1 or (id > 5 and random_sample(0.5))', 'cannot be used in logical and expression'],
  ['match_any(nums, random_sample(0.5))', 'random sample is not supported inside MATCH predicate'],
  ['match_any(doc, $[a] > 3)', 'match_any applies to array fields only, got: doc'],
  ['match_any(nums, $[a] > 3)', 'struct field not found: nums[a]'],
  ['match_any(nums, $)', 'is not a boolean expression: $'],
  ['match_least(nums, $ > 1)', 'match_least needs a threshold'],
  ['match_least(nums, $ > 1, threshold=-1)', 'should be an integer that is not negative'],
  ['match_any(nums, $ > 1, threshold=1)', 'match_any has no option threshold'],
  ['match_any(nums, element_filter(nums, $ > 1))', 'nested element_filter is not supported'],
  ['match_any(nums, $ > "a")', 'comparisons between Int64 and VarChar are not supported'],
  ['$ > 1', '$[x] syntax can only be used inside ElementFilter or MATCH_*'],
  ["time + INTERVAL 'P1D' > id", 'comparisons between Timestamptz and Int64 are not supported'],
  ["time > INTERVAL 'P1D'", 'comparisons between Timestamptz and Interval are not supported'],
  ['time > 5', 'comparisons between Timestamptz and Int64 are not supported'],
  ["time * INTERVAL 'P1D' > ISO '2025-01-01T00:00:00Z'", 'can only be added or subtracted, but got: *'],
  [
    "ISO '2025-01-01T00:00:00Z' < id < ISO '2026-01-01T00:00:00Z'",
    "field 'id' is not a timestamptz datatype",
  ],
  ["time > ISO '2025-02-29T00:00:00Z'", 'invalid timestamptz literal: 2025-02-29T00:00:00Z'],
  ['time in [1]', "value 'int64_val:1' in list cannot be casted to Timestamptz"],
  ["ST_WITHIN(area, 'POINT (1 2')", 'invalid WKT: POINT (1 2'],
  ["ST_WITHIN(area, 'POINT (1 2) x')", 'invalid WKT'],
  ["st_dwithin(area, 'LINESTRING (1 2, 3 4)', 5)", 'st_dwithin needs a POINT'],
  ['text == "a"', 'filter on text field (text) is not supported yet'],
  ['vec is null', 'filter on field vec of type FloatVector is not supported'],
  ['area == "a"', 'filter on field area of type Geometry is not supported'],
  ['no_such_function(name) and id > 1', 'unknown function: no_such_function'],
];

const TEMPLATED: readonly (readonly [filter: string, templates: Templates, ids: readonly number[]])[] = [
  ['doc["a"] == {list}', { list: [1n, 2n] }, [5]],
  ['name =~ {p}', { p: '^a' }, [1, 8]],
  ['text_match(body, {words}, minimum_should_match={n})', { words: 'quick fox', n: 2n }, [1, 2]],
  ['phrase_match(body, {words}, {slop})', { words: 'quick fox', slop: 1n }, [1, 2]],
  ['match_least(nums, $ > {low}, threshold={n})', { low: 4n, n: 2n }, [5, 8]],
  ['id > 5 and random_sample({p})', { p: 1 - 1e-9 }, [6, 7, 8, 9, 10]],
  ['time > {t}', { t: '2025-01-01T00:00:00Z' }, []],
  ['st_within(area, {wkt})', { wkt: 'POINT (1 2)' }, []],
];

const TEMPLATES_REFUSED: readonly (readonly [filter: string, templates: Templates, fragment: string])[] = [
  ['score > {x}', { x: Number.NaN }, 'is not a finite number'],
  ['id in {x}', { x: [1n, 2n ** 63n] }, 'is out of range'],
  ['name =~ {p}', { p: '(' }, 'invalid regex pattern'],
  ['name =~ {p}', { p: 1n }, 'regex pattern should be a string literal or template variable, got: {p}'],
  ['random_sample({p})', { p: 1n }, 'the sample factor should be between 0 and 1'],
  ['time > {t}', { t: 'now' }, 'invalid timestamptz literal: now'],
  ['st_within(area, {wkt})', { wkt: 'POINT' }, 'invalid WKT: POINT'],
];

for (const [filter, ids] of KEPT)
  test(`${filter} keeps ${ids.length === 0 ? 'nothing' : ids}`, () => assert.deepEqual(idsOf(filter), ids));

for (const [filter, templates, ids] of TEMPLATED)
  test(`${filter} with its template keeps ${ids}`, () => assert.deepEqual(idsOf(filter, templates), ids));

for (const [filter, fragment] of REFUSED)
  test(`${filter} is refused: ${fragment}`, () => {
    const error = refusalOf(filter);
    assert.equal(error.code, 1100);
    assert.ok(error.message.startsWith(`cannot parse expression: ${filter}, error: `), error.message);
    assert.ok(error.message.endsWith(': invalid parameter'), error.message);
    assert.ok(error.message.includes(fragment), error.message);
  });

for (const [filter, templates, fragment] of TEMPLATES_REFUSED)
  test(`${filter} with its template is refused: ${fragment}`, () => {
    assert.ok(refusalOf(filter, templates).message.includes(fragment), refusalOf(filter, templates).message);
  });

test('what a template broke is told without the text of the filter', () => {
  const { message } = refusalOf('age > {lo}');
  assert.equal(
    message,
    'the value of expression template variable name {lo} is not found: invalid parameter',
  );
});

test('an unknown name is refused where no dynamic field could hold it', () => {
  for (const filter of ['nosuch == 1', 'nosuch["a"] == 1', 'nosuch is null'])
    assert.match(refusalOf(filter, {}, 'fixed').message, /error: field nosuch not exist: invalid parameter$/);
  assert.match(refusalOf('$meta["k"] == 1', {}, 'fixed').message, /field \$meta not exist/);
});

test('blank text is no filter', () => {
  for (const text of ['', ' ', '\t\r\n ']) assert.equal(planFilter(text, demoSchema('dynamic')), null);
});
