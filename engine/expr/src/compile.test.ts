import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compilePredicate } from './compile.ts';
import { RUN_ROWS_MAX } from './evaluator.ts';
import { parse } from './parser.ts';
import { planFilter } from './plan-filter.ts';
import type { ColumnSource } from './predicate.ts';
import { columnsOf, DEMO_ROWS, demoSchema, type Row } from './testing/demo-rows.ts';
import { isKept } from './testing/naive-interpreter.ts';

const schema = demoSchema('dynamic');

function matchesOf(text: string, source: ColumnSource, start: number, end: number): number[] {
  const matches = new Uint8Array(end - start).fill(9);
  compilePredicate(planFilter(text, schema)!)(source, start, end, matches);
  return [...matches];
}

const smallInteger = fc.integer({ min: -4, max: 9 });
const largeInteger = fc.constantFrom(
  '9007199254740993',
  '-9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
);
const integer = fc.oneof({ weight: 5, arbitrary: smallInteger.map(String) }, largeInteger);
const fraction = fc.constantFrom('0.5', '-1.5', '2.0', '1e2', '9007199254740992.0');
const number = fc.oneof(integer, fraction);
/** Beside a column of doubles an integer is a double, too. */
const double = fc.oneof(smallInteger.map(String), fraction);
const words = fc.constantFrom('', 'a', 'b', 'ab', 'aé', 'é', '𝄞', '\ufffd', 'a%', 'a_b', 'ba');
const text = words.map((word) => JSON.stringify(word));
const truth = fc.constantFrom('true', 'false');
const pattern = fc
  .array(fc.constantFrom('%', '_', 'a', 'b', 'é', '\\\\%', '\\\\_'), { maxLength: 5 })
  .map((parts) => `"${parts.join('')}"`);
const comparison = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');

const integerOperand = fc.constantFrom(
  ...['id', 'i8', 'age', 'nums[0]', 'nums[1]', 'array_length(nums)'],
  ...['parts[0][size]', 'array_length(parts)', 'array_length(parts[kind])'],
);
const floatOperand = fc.constantFrom('ratio', 'score');
const textOperand = fc.constantFrom(
  ...['name', 'nick', 'tags[0]', 'tags[1]', 'parts[1][kind]', 'color', 'doc["s"]'],
);
const jsonOperand = fc.constantFrom(
  'color',
  'level',
  'doc["a"]',
  'doc["n"]["k"]',
  'doc["t"][0]',
  '$meta["level"]',
);
const arithmetic = fc.constantFrom('+', '-', '*', '/', '%', '&', '|', '^');
const divisor = fc.constantFrom('1', '3', '-7', '2000000000', '9007199254740993');

const regex = fc
  .array(fc.constantFrom('a', 'b', 'é', '.', '^', '$', 'a*', 'b+', '[ab]', '(a|é)', '[^a]', '𝄞?'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => `"${parts.join('')}"`);
const phrase = fc
  .array(fc.constantFrom('fox', 'quick', 'Brown', 'dog'), { maxLength: 4 })
  .map((parts) => `"${parts.join(' ')}"`);
const INSTANTS = [
  '2024-02-29T12:00:00Z',
  '2025-01-31T00:00:00Z',
  '2025-03-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
];
const interval = fc.constantFrom('P1D', 'P1M', 'P13M', 'P1M1D', 'P366D');
const elementTest = fc.oneof(
  fc.tuple(comparison, integer).map(([order, value]) => ['nums', `$ ${order} ${value}`] as const),
  fc
    .tuple(smallInteger, integer)
    .map(([low, value]) => ['nums', `not ($ > ${low} and $ != ${value})`] as const),
  fc
    .tuple(comparison, text)
    .map(([order, value]) => ['tags', `$ ${order} ${value} or $ like "%a%"`] as const),
);

const structTest = fc.oneof(
  fc.tuple(comparison, integer).map(([order, value]) => `$[size] ${order} ${value}`),
  fc
    .tuple(integer, text, fc.constantFrom('and', 'or'))
    .map(([size, kind, join]) => `$[size] in [${size}, 1] ${join} not ($[kind] == ${kind})`),
);
const matchable = fc.oneof(
  elementTest,
  structTest.map((inner) => ['parts', inner] as const),
);
const corner = fc.integer({ min: -2, max: 2 });
const shape = fc.oneof(
  fc.tuple(corner, corner).map(([x, y]) => `POINT (${x} ${y})`),
  fc.tuple(corner, corner, fc.integer({ min: 1, max: 3 })).map(([x, y, size]) => {
    const [east, north] = [x + size, y + size];
    return `POLYGON ((${x} ${y}, ${east} ${y}, ${east} ${north}, ${x} ${north}, ${x} ${y}))`;
  }),
);

const list = (item: fc.Arbitrary<string>) =>
  fc.array(item, { maxLength: 7 }).map((items) => `[${items.join(', ')}]`);
const word = (operator: fc.Arbitrary<string>, left: fc.Arbitrary<string>, right: fc.Arbitrary<string>) =>
  fc.tuple(left, operator, right).map((parts) => parts.join(' '));
const membership = fc.constantFrom('in', 'not in');

const leaf = fc.oneof(
  word(comparison, integerOperand, integer),
  word(comparison, floatOperand, double),
  word(comparison, textOperand, text),
  word(comparison, jsonOperand, fc.oneof(number, text)),
  word(fc.constantFrom('==', '!='), fc.constantFrom('ok', 'doc["b"]'), truth),
  word(comparison, integer, integerOperand),
  word(
    comparison,
    fc.constantFrom('id', 'i8', 'age', 'ratio', 'score'),
    fc.constantFrom('id', 'i8', 'age', 'score'),
  ),
  word(comparison, fc.constant('name'), fc.constant('nick')),
  word(membership, fc.constantFrom('id', 'i8', 'age', 'nums[0]'), list(integer)),
  word(membership, floatOperand, list(double)),
  word(membership, fc.constantFrom('name', 'nick', 'tags[0]'), list(text)),
  word(membership, jsonOperand, list(fc.oneof(number, text))),
  word(fc.constant('like'), textOperand, pattern),
  fc
    .tuple(
      fc.constantFrom('age', 'nick', 'nums', 'doc', 'color', 'doc["a"]', 'time', 'area', 'parts'),
      fc.constantFrom('is null', 'is not null'),
    )
    .map((parts) => parts.join(' ')),
  jsonOperand.map((operand) => `exists ${operand}`),
  fc
    .tuple(
      smallInteger,
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom('age', 'id', 'score', 'level', 'nums[0]'),
    )
    .map(([low, width, name]) => `${low} < ${name} <= ${low + width}`),
  fc
    .tuple(fc.constantFrom('id', 'i8', 'age', 'nums[0]'), arithmetic, divisor, comparison, integer)
    .map(([name, operator, by, order, value]) => `(${name} ${operator} ${by}) ${order} ${value}`),
  fc
    .tuple(jsonOperand, fc.constantFrom('+', '-', '*'), fc.constantFrom('2', '0.5'), comparison, smallInteger)
    .map(([name, operator, by, order, value]) => `${name} ${operator} ${by} ${order} ${value}`),
  fc
    .tuple(fc.constantFrom('_all', '_any'), list(integer))
    .map(([mode, items]) => `array_contains${mode}(nums, ${items})`),
  fc
    .tuple(fc.constantFrom('_all', '_any'), list(fc.oneof(number, text)))
    .map(([mode, items]) => `json_contains${mode}(doc["t"], ${items})`),
  text.map((item) => `array_contains(tags, ${item})`),
  list(integer).map((items) => `array_contains_any(parts[size], ${items})`),
  fc
    .tuple(fc.constantFrom('within', 'intersects', 'touches', 'equals'), shape)
    .map(([name, constant]) => `st_${name}(area, '${constant}')`),
  fc.constant('st_isvalid(area)'),
  word(fc.constantFrom('=~', '!~'), textOperand, regex),
  fc
    .tuple(phrase, fc.integer({ min: 1, max: 3 }))
    .map(([item, count]) => `text_match(body, ${item}, minimum_should_match=${count})`),
  fc
    .tuple(
      fc.array(fc.constantFrom('fx', 'quikc', 'Brwon', 'do', 'teh'), { maxLength: 3 }),
      fc.nat({ max: 2 }),
    )
    .map(([items, edits]) => `text_match_fuzzy(body, "${items.join(' ')}", max_edit_distance=${edits})`),
  fc.tuple(phrase, fc.nat({ max: 5 })).map(([item, slop]) => `phrase_match(body, ${item}, ${slop})`),
  fc
    .tuple(fc.constantFrom('any', 'all'), matchable)
    .map(([mode, [name, inner]]) => `match_${mode}(${name}, ${inner})`),
  fc
    .tuple(fc.constantFrom('least', 'most', 'exact'), matchable, fc.nat({ max: 3 }))
    .map(([mode, [name, inner], count]) => `match_${mode}(${name}, ${inner}, threshold=${count})`),
  fc
    .tuple(fc.constantFrom('', ' + ', ' - '), interval, comparison, fc.constantFrom(...INSTANTS))
    .map(
      ([sign, by, order, at]) => `time${sign === '' ? '' : `${sign}INTERVAL '${by}'`} ${order} ISO '${at}'`,
    ),
);

const filter = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc
      .tuple(tie('filter'), fc.constantFrom('and', 'or', '&&', '||'), tie('filter'))
      .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
    tie('filter').map((inner) => `not (${inner})`),
  ),
})).filter;

const jsonNumber = fc.oneof(number, fc.constantFrom('9007199254740993', '9007199254740992', '1.0', '-0'));
const jsonText = words.map((item) => JSON.stringify(item).replace('é', '\\u00e9'));
const jsonScalar = fc.oneof(jsonNumber, jsonText, truth, fc.constant('null'));
const jsonList = fc.array(jsonScalar, { maxLength: 3 }).map((items) => `[${items.join(' ,')}]`);
const jsonObject = (members: Record<string, fc.Arbitrary<string>>) =>
  fc.record(members, { requiredKeys: [] }).map(
    (values) =>
      `{${Object.entries(values)
        .map(([key, value]) => `"${key}" : ${value}`)
        .join(', ')}}`,
  );

const optional = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const structs = optional(
  fc.array(fc.record({ size: integer.map(BigInt), kind: words }), { maxLength: 3 }),
).map((parts) => ({
  'parts[size]': parts?.map(({ size }) => size),
  'parts[kind]': parts?.map(({ kind }) => kind),
}));
const plainRow: fc.Arbitrary<Row> = fc.record({
  id: integer.map(BigInt),
  i8: fc.integer({ min: -128, max: 127 }),
  age: optional(fc.oneof(smallInteger, fc.integer())),
  ratio: fc.constantFrom(0, -0, 0.5, -1.5, 2, 100),
  score: optional(fc.constantFrom(0, 0.5, -1.5, 2, 100, 9007199254740992)),
  ok: optional(fc.boolean()),
  name: words,
  nick: optional(words),
  body: fc
    .array(fc.constantFrom('fox', 'Quick', 'brown', 'dog', 'the', ',', '-'), { maxLength: 8 })
    .map((parts) => parts.join(' ')),
  time: optional(
    fc
      .tuple(fc.constantFrom(...INSTANTS), fc.integer({ min: -3, max: 3 }))
      .map(([at, days]) => BigInt(Date.parse(at) + days * 86_400_000) * 1_000n),
  ),
  tags: fc.array(words, { maxLength: 3 }),
  nums: optional(fc.array(integer.map(BigInt), { maxLength: 3 })),
  doc: optional(
    jsonObject({
      x: jsonObject({ a: jsonScalar }),
      a: fc.oneof(jsonScalar, jsonList),
      b: fc.oneof(truth, jsonScalar),
      s: jsonText,
      t: fc.oneof(jsonList, jsonScalar),
      n: jsonObject({ k: jsonScalar }),
    }),
  ),
  area: optional(fc.tuple(corner, corner).map(([x, y]) => `POINT (${x} ${y})`)),
  $meta: jsonObject({ color: jsonScalar, level: jsonScalar }),
});
const rowArbitrary: fc.Arbitrary<Row> = fc
  .tuple(plainRow, structs)
  .map(([row, parts]) => ({ ...row, ...parts }));

/** Filters, each tested on three or four rows: 20,000 answers unless somebody asks for more. */
const RUNS = Number(process.env.ELANUS_FILTER_RUNS ?? 6_000);

test('keeps exactly the rows that a naive interpreter keeps', () => {
  fc.assert(
    fc.property(filter, fc.array(rowArbitrary, { minLength: 1, maxLength: 6 }), (expression, rows) => {
      const tree = parse(expression);
      const expected = rows.map((row) => Number(isKept(tree, row, schema)));
      assert.deepEqual(matchesOf(expression, columnsOf(schema, rows), 0, rows.length), expected, expression);
    }),
    { numRuns: RUNS },
  );
});

test('tests a part of the rows, wherever it begins', () => {
  const rows = Array.from(
    { length: 3 * RUN_ROWS_MAX + 17 },
    (_, index) => DEMO_ROWS[index % DEMO_ROWS.length]!,
  );
  const source = columnsOf(schema, rows);
  const start = RUN_ROWS_MAX - 5;
  for (const expression of [
    'age > 20',
    'name like "a%" or (id > 3 and (ok == true or age is null))',
    'level >= 1',
  ]) {
    const tree = parse(expression);
    const expected = rows.slice(start).map((row) => Number(isKept(tree, row, schema)));
    assert.deepEqual(matchesOf(expression, source, start, rows.length), expected);
  }
});

test('compiles a predicate once', () => {
  const predicate = planFilter('id > 1', schema)!;
  assert.equal(compilePredicate(predicate), compilePredicate(predicate));
});
