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

const KEPT: readonly (readonly [filter: string, ids: readonly number[]])[] = [
  // Integers, floats, literals
  ['id == 3', [3]],
  ['3 == id', [3]],
  ['id != 3', [1, 2, 4, 5, 6, 7, 8, 9, 10]],
  ['id >= 8', [8, 9, 10]],
  ['5 > id', [1, 2, 3, 4]],
  ['id == 0b11', [3]],
  ['id == 0xA', [10]],
  ['id == 010', [8]],
  ['i8 == -128', [7]],
  ['i8 == 1000', []],
  ['i8 < 1000', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ['i8 != 1000', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ['id < 9223372036854775807', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ['id > -9223372036854775808', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ['score > 2', [2, 6, 7, 8, 9]],
  ['score == 2.5', [2]],
  ['score == 1e2', [7]],
  ['ratio == .25', [8]],
  ['ratio >= 1.', [2, 3, 6, 7, 9, 10]],
  ['score != 0', [1, 2, 4, 6, 7, 8, 9]],
  ['score > ratio', [1, 2, 6, 7, 8]],
  ['age == i8', []],
  ['name == nick', []],
  // Null handling
  ['age is null', [3, 8]],
  ['age is not null', [1, 2, 4, 5, 6, 7, 9, 10]],
  ['age IS NULL', [3, 8]],
  ['age == 18', [1, 7]],
  ['age != 18', [2, 4, 5, 6, 9, 10]],
  ['not (age == 18)', [2, 4, 5, 6, 9, 10]],
  ['age not in [18]', [2, 4, 5, 6, 9, 10]],
  ['not (age is null)', [1, 2, 4, 5, 6, 7, 9, 10]],
  ['age > 18 or age is null', [2, 3, 4, 5, 6, 8, 9]],
  ['not (age > 18 and nick is null)', [1, 3, 4, 5, 7, 8, 9, 10]],
  ['nick == "" or nick is null', [2, 3, 6, 10]],
  ['not (score > 5 or ok == true)', [2, 5]],
  ['id is null', []],
  ['(age == 18 or score == 5.0) and ok == true', [1, 8]],
  // Booleans and logic
  ['ok == true', [1, 4, 6, 8, 10]],
  ['ok == True', [1, 4, 6, 8, 10]],
  ['ok != true', [2, 5, 9]],
  ['ok in [true, false]', [1, 2, 4, 5, 6, 8, 9, 10]],
  ['id > 8 AND ok == true', [10]],
  ['id > 8 && ok == true', [10]],
  ['id < 3 || id > 8', [1, 2, 9, 10]],
  ['id < 3 OR id > 8', [1, 2, 9, 10]],
  ['id == 1 or id == 2 and ok == true', [1]],
  ['(id == 1 or id == 2) and ok == false', [2]],
  ['!(ok == true) && id < 9', [2, 5]],
  ['not (id in [1,2,3])', [4, 5, 6, 7, 8, 9, 10]],
  ['not name like "a%"', [2, 3, 4, 5, 6, 7, 9, 10]],
  ['not not (id == 1)', [1]],
  ['true and id > 9', [10]],
  ['false or id > 9', [10]],
  ['1 == 1', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  // Ranges
  ['18 <= age < 40', [1, 2, 5, 7]],
  ['40 > age >= 18', [1, 2, 5, 7]],
  ['18 <= age <= 18', [1, 7]],
  ['"a" < name < "c"', [1, 2, 8, 9]],
  ['0 < score < 5', [1, 2]],
  ['1 < doc["a"] < 3', [8]],
  ['age > 18 and age < 40', [2, 5]],
  // IN
  ['id in [1, 2, 99]', [1, 2]],
  ['id IN [1,2,3,]', [1, 2, 3]],
  ['id not in [1,2]', [3, 4, 5, 6, 7, 8, 9, 10]],
  ['id NOT  IN [1,2]', [3, 4, 5, 6, 7, 8, 9, 10]],
  ['id in []', []],
  ['age not in []', [1, 2, 4, 5, 6, 7, 9, 10]],
  ['score in [1, 2.5]', [1, 2]],
  ['name in ["bob", \'Eve\']', [2, 5]],
  ['i8 in [-5, 7]', [2, 5]],
  // Strings and LIKE
  ['name == "alice"', [1]],
  ["name == 'alice'", [1]],
  ['name == "ali\\"ce"', [8]],
  ["name == 'ali\"ce'", [8]],
  ['name == "back\\\\slash"', [9]],
  ['name == "\\u007ao\\u00eb"', [6]],
  ['name == "zoë"', [6]],
  ['name == ""', [7]],
  ['name > "b"', [2, 3, 4, 6, 9]],
  ['name >= "Eve" and name < "b"', [1, 5, 8]],
  ['name == "Alice"', []],
  ['name like "a%"', [1, 8]],
  ['name like "%e"', [1, 5, 8]],
  ['name like "%ar%"', [3]],
  ['name like "b_b"', [2]],
  ['name like "bob"', [2]],
  ['name like "%"', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ['nick like "%"', [1, 3, 4, 5, 7, 8, 9]],
  ['name like ""', [7]],
  ['name like "%\\\\%"', [4]],
  ['name like "100\\\\_%"', [10]],
  ['name like r"dave\\%"', [4]],
  ['name like "a%e"', [1, 8]],
  ['name LIKE "A%"', []],
  ['tags[0] like "a%"', [1, 4, 8]],
  ['name like "zo_"', [6]],
  ['starts_with(name, "al")', [1, 8]],
  ['Starts_With(name, "al")', [1, 8]],
  ['empty(name)', [7]],
  // Arithmetic
  ['age + 1 == 19', [1, 7]],
  ['age - 8 > 30', [4, 6, 9]],
  ['age % 2 == 1', [2, 5, 9, 10]],
  ['i8 / 2 == -2', [2]],
  ['i8 % 5 == -3', [7]],
  ['i8 * 2 > 200', [3]],
  ['score * 2 == 5', [2]],
  ['score / 4 > 2', [6, 7]],
  ['10 + age == 28', [1, 7]],
  ['3 * id == 9', [3]],
  ['id + 1 + 2 == 5', [2]],
  ['id == 1 + 2 * 3', [7]],
  ['id == (1 + 2) * 3', [9]],
  ['id == 7 / 2', [3]],
  ['score == 5 / 2.0', [2]],
  ['id == 7 % 4', [3]],
  ['score == 2 ** 0', [1]],
  ['(id & 1) == 1', [1, 3, 5, 7, 9]],
  ['id << 1 == 4', [2]],
  // Arrays
  ['tags[0] == "a"', [1, 4, 8]],
  ['tags[1] == "a"', [6]],
  ['tags[1] != "a"', [1, 4, 9]],
  ['not (tags[1] == "a")', [1, 4, 9]],
  ['nums[0] > 2', [4, 5, 6, 8]],
  ['nums[0] in [1, 2]', [1, 9, 10]],
  ['1 < nums[1] < 8', [1, 5, 6]],
  ['nums[0] + 1 == 2', [1, 10]],
  ['nums == [1,2,3]', [1]],
  ['nums == []', [2]],
  ['nums != [1,2,3]', [2, 4, 5, 6, 7, 8, 9, 10]],
  ['array_contains(nums, 2)', [1, 6, 9]],
  ['ARRAY_CONTAINS(tags, "A")', [10]],
  ['array_contains_all(tags, ["a","b"])', [1, 6]],
  ['array_contains_any(nums, [5, 10])', [4, 5, 8]],
  ['not array_contains(nums, 2)', [2, 4, 5, 7, 8, 10]],
  ['json_contains(nums, 1)', [1, 6, 10]],
  ['array_contains_any(nums, [])', []],
  ['array_contains_all(nums, [])', [1, 2, 4, 5, 6, 7, 8, 9, 10]],
  ['array_length(tags) == 0', [3]],
  ['array_length(nums) >= 3', [1, 6, 8]],
  ['array_length(nums) != 1', [1, 2, 5, 6, 7, 8]],
  ['nums is null', [3]],
  // JSON field
  ['doc["a"] == 1', [1, 2]],
  ['doc["a"] == 1.0', [1, 2]],
  ['doc["a"] == "1"', [3]],
  ['doc["a"] == true', [10]],
  ['doc["a"] != 1', [8, 9]],
  ['doc["a"] > 0', [1, 2, 8]],
  ['doc["a"] > 0.5', [1, 2, 8]],
  ['not (doc["a"] > 0)', [9]],
  ['doc["a"] in [1, 2]', [1, 2, 8]],
  ['doc["a"] not in [1, 2]', [9]],
  ['doc["a"] == [1,2]', [5]],
  ['doc["a"][0] == 1', [5]],
  ["doc['n']['k'] == \"v\"", [8]],
  ['doc["n"]["k"] == 1', [1]],
  ['doc["a b"] == 5', [10]],
  ['doc["t"][0] == "p"', [1]],
  ['doc["t"][0] == 1', [2]],
  ['doc["s"] like "x%"', [1, 9]],
  ['doc["s"] < "y"', [1, 9]],
  ['doc["b"] == false', [5]],
  ['doc["b"] != true', [5]],
  ['doc["a"] + 1 == 2', [1, 2]],
  ['doc["a"] * 2 > 3.0', [8]],
  ['json_contains(doc["t"], 1)', [2]],
  ['JSON_CONTAINS(doc["t"], "p")', [1]],
  ['json_contains_any(doc["t"], ["q", 2])', [1, 2]],
  ['json_contains_all(doc["t"], ["p","q"])', [1]],
  ['not json_contains(doc["t"], "p")', [2, 3]],
  ['array_length(doc["t"]) == 2', [1, 2]],
  ['array_length(doc["t"]) == 0', [3]],
  ['exists doc["a"]', [1, 2, 3, 5, 8, 9, 10]],
  ['not exists doc["a"]', [4, 6, 7]],
  ['doc["a"] is null', [4, 6, 7]],
  ['doc["a"] is not null', [1, 2, 3, 5, 8, 9, 10]],
  ['doc is null', [6]],
  ['exists doc["n"]["k"]', [1, 8]],
  // Dynamic keys
  ['color == "red"', [1, 5]],
  ['$meta["color"] == "red"', [1, 5]],
  ['color in ["red", "RED"]', [1, 5, 10]],
  ['color != "red"', [2, 9, 10]],
  ['color like "%e%"', [1, 2, 5, 9]],
  ['level == 1', [1]],
  ['level == 2', [8, 9]],
  ['level > 1', [3, 8, 9]],
  ['exists color', [1, 2, 5, 9, 10]],
  ['color is null', [3, 4, 6, 7, 8]],
  ['color is not null', [1, 2, 5, 9, 10]],
  ['extra["x"][1]["y"] == 2', [7]],
  ['$meta["extra"]["x"][0] == 1', [7]],
  ['nosuch == 1', []],
  ['$meta["age"] == 18', []],
  ['ID == 1', []],
  ['color == "red" and age > 20', [5]],
  ['not (color == "red")', [2, 9, 10]],
  // Shape errors
];

const REFUSED: readonly (readonly [filter: string, fragment: string])[] = [
  // Integers, floats, literals
  ['id == 08', 'invalid expression'],
  ['id == 1_0', 'invalid expression'],
  ['id == 9223372036854775808', 'value out of range'],
  ['age > 18.5', 'cannot cast value to Int32, value: float_val:18.5'],
  ['id == 3.0', 'cannot cast value to Int64'],
  ['name == 1', 'comparisons between VarChar and Int64 are not supported'],
  ['1 == name', 'comparisons between Int64 and VarChar are not supported'],
  ['ok == 1', 'comparisons between Bool and Int64 are not supported'],
  ['name == id', 'comparisons between VarChar and Int64 are not supported'],
  // Null handling
  ['age Is Null', 'invalid expression'],
  ['age is  null', 'invalid expression'],
  ['age == null', 'NULL literal is not supported in expressions'],
  ['age in [1, null]', 'NULL literal is not supported in expressions'],
  // Booleans and logic
  ['ok', 'predicate is not a boolean expression: ok, data type: Bool'],
  ['true', 'predicate is not a boolean expression: true, data type: Bool'],
  ['ok and id > 3', "'and' can only be used between boolean expressions"],
  ['not ok', 'not op can only be applied on boolean expression'],
  ['tRuE == ok', 'two column comparison with JSON type is not supported'],
  ['id > 8 And ok == true', 'invalid expression'],
  ['not id in [1,2,3]', 'not op can only be applied on boolean expression'],
  ['not id == 1', 'not op can only be applied on boolean expression'],
  ['id + 1', 'predicate is not a boolean expression'],
  ['id == 1 == true', 'comparisons between Bool and Bool'],
  // Ranges
  ['18 < age <= 18', 'invalid range: lowerbound is greater than upperbound'],
  ['60 < age < 18', 'invalid range: lowerbound is greater than upperbound'],
  ['1 < name < 2', 'invalid range operations'],
  ['false < ok < true', 'invalid range operations on boolean expr'],
  ['1.5 < age < 3', 'invalid range operations'],
  ['1 < age > 3', 'comparisons between Bool and Int64 are not supported'],
  ['1 < age + 1 < 5', 'comparisons between Bool and Int64 are not supported'],
  ['1 < age < id', 'upperbound cannot be a non-const expression: id'],
  // IN
  ['id in [1, 2.5]', "value 'float_val:2.5' in list cannot be casted to Int64"],
  ['name in [1]', 'cannot be casted to VarChar'],
  ['id in 1', "the right-hand side of 'in' must be a list, but got: 1"],
  ['1 in [1]', "'term' can only be used on non-const expression, but got: 1"],
  ['id + 1 in [2]', "'term' can only be used on single field, but got: id+1"],
  ['id in (1,2)', 'line 1:'],
  ['id in [age]', 'array element type must be generic value, but got: age'],
  // Strings and LIKE
  ['name like "x\\%"', 'invalid syntax'],
  ['age like "1%"', 'like operation on non-string or no-json field is unsupported'],
  ['name like nick', 'should be a string literal or template variable'],
  // Arithmetic
  ['10 - age == 5', 'module field is not yet supported'],
  ['age + 0.5 > 20', "'add' cannot perform arithmetic between Int32 field and Double"],
  ['age + 1 == 19.5', 'cannot cast value to Int64'],
  ['name + 1 == 2', "'add' cannot perform arithmetic between VarChar field and Int64"],
  ['age / 0 == 1', 'division or modulus by zero'],
  ['age % 0 == 1', 'division or modulus by zero'],
  ['score % 2 == 1', 'modulo can only apply on integer types'],
  ['1 / 0 == id', 'cannot divide by zero'],
  ['age + id == 19', 'not supported to do arithmetic operations between multiple fields'],
  ['(id + 1) * 2 == 4', 'complicated arithmetic operations are not supported'],
  ['(score + 1) + 1 == 3', 'complicated arithmetic operations are not supported'],
  ['id == 2 ** 3', 'cannot cast value to Int64'],
  ['id ** 2 == 4', 'power can only apply on constants'],
  ['id == 5 % 2.0', 'modulo can only apply on integer'],
  ['id & 1 == 1', 'cannot perform arithmetic'],
  // Arrays
  ['nums > [1]', 'can not comparisons array fields directly'],
  ['tags["x"] == "a"', 'can only access array field with integer index'],
  ['name[0] == "a"', 'VarChar data type not supported accessed with []'],
  ['nums[-1] == 1', 'invalid expression'],
  ['array_contains(nums, "x")', 'cannot cast value to Int64'],
  ['array_contains_any(nums, 1)', 'ContainsAny operation element must be an array'],
  [
    'array_contains_all(nums, ["x"])',
    "ContainsAll operation can't compare between array element type: Int64 and VarChar",
  ],
  [
    'array_contains(name, "a")',
    'contains operation are only supported on json or array fields now, got: name',
  ],
  ['array_length(name) == 1', 'array_length operation are only supported on json'],
  ['array_length(nums) == 1.5', 'cannot cast value to Int64'],
  ['nums[0] is null', 'IsNull/IsNotNull operations are not supported on array element access'],
  // JSON field
  ['doc["a"] + 1 == 2.5', 'cannot cast value to Int64'],
  ['json_contains_all(doc["t"], "p")', 'ContainsAll operation element must be an array'],
  ['exists doc', 'exists operations are only supportted on json key'],
  ['exists age', 'exists operations are only supportted on json field, got:Int32'],
  ['doc[a] == 1', 'struct field not found: doc[a]'],
  ['doc[""] == 1', 'invalid identifier'],
  ['doc["a"] == doc["b"]', 'two column comparison with JSON type is not supported'],
  ['doc["a"] == age', 'two column comparison with JSON type is not supported'],
  // Dynamic keys
  ['level == color', 'two column comparison with JSON type is not supported'],
  // Shape errors
  ['id >', 'line 1:4'],
  ['id = 1', 'invalid expression: id = 1'],
  ['id == 1 id == 2', 'invalid expression: id == 1 id == 2'],
  ['(id == 1', 'line 1:8'],
  ['id == 1)', 'invalid expression: id == 1)'],
  ['name == "abc', 'line 1:8 token recognition error'],
  ['id == 1;', 'line 1:7 token recognition error'],
  ['id === 1', 'line 1:'],
  ['id <> 1', 'line 1:'],
  // Languages within the language that this server does not speak yet
  ['text_match(name, "a")', 'text_match is not supported yet'],
  ['TEXT_MATCH(name, "a", minimum_should_match=2)', 'text_match is not supported yet'],
  ['phrase_match(name, "a b", 1)', 'phrase_match is not supported yet'],
  ['id > 5 and random_sample(0.5)', 'random_sample is not supported yet'],
  ['name =~ "o"', 'regex match (=~) is not supported yet'],
  ['name !~ "o"', 'regex match (!~) is not supported yet'],
  ["ST_WITHIN(area, 'POINT (1 2)')", 'st_within on geometry is not supported yet'],
  ["St_Within(area, 'POINT (1 2)')", 'filter on field area of type Geometry is not supported'],
  ["time > ISO '2025-01-01T00:00:00Z'", 'ISO literals of Timestamptz fields are not supported yet'],
  ["time + interval 'P1D' > id", 'INTERVAL literals of Timestamptz fields are not supported yet'],
  ['time > "2025-01-01T00:00:00Z"', 'filter on field time of type Timestamptz is not supported'],
  ['match_any(doc, $[a] > 3)', 'match_any on struct arrays is not supported yet'],
  ['element_filter(doc, $[a] > 3)', 'element_filter on struct arrays is not supported yet'],
  ['$[a] > 3', '$[x] syntax can only be used inside ElementFilter or MATCH_*'],
  ['text == "a"', 'filter on text field (text) is not supported yet'],
  ['vec is null', 'filter on field vec of type FloatVector is not supported'],
  ['no_such_function(name) and id > 1', 'unknown function: no_such_function'],
];

const TEMPLATED: readonly (readonly [filter: string, templates: Templates, ids: readonly number[]])[] = [
  ['age > {lo}', { lo: 30n }, [4, 5, 6, 9]],
  ['{lo} < age', { lo: 30n }, [4, 5, 6, 9]],
  ['id in {ids}', { ids: [1n, 5n, 99n] }, [1, 5]],
  ['{lo} <= age < 40', { lo: 25n }, [2, 5]],
  ['name == {n}', { n: 'bob' }, [2]],
  ['age + {k} == 20', { k: 2n }, [1, 7]],
  ['array_contains(nums, {v})', { v: 2n }, [1, 6, 9]],
  ['name like {p}', { p: 'a%' }, [1, 8]],
  ['doc["a"] == {list}', { list: [1n, 2n] }, [5]],
];

const TEMPLATES_REFUSED: readonly (readonly [filter: string, templates: Templates, fragment: string])[] = [
  ['age > {lo}', {}, 'the value of expression template variable name {lo} is not found'],
  ['id == {x}', { x: 1.5 }, 'cannot cast value to Int64'],
  ['id in {x}', { x: 1n }, 'is not array'],
  ['{a} == {b}', { a: 1n, b: 1n }, 'placeholder was not supported between two constants with operator: =='],
  ['age / {z} == 1', { z: 0n }, 'division or modulus by zero'],
  ['id in [1, {x}]', { x: 1n }, 'array element type must be generic value, but got: {x}'],
  ['score > {x}', { x: Number.NaN }, 'is not a finite number'],
  ['id in {x}', { x: [1n, 2n ** 63n] }, 'is out of range'],
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
