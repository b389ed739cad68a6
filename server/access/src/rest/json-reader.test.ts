import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNumberRuns } from '@elanus/kernel';
import fc from 'fast-check';
import { runAtOnce } from '../rows/sliced-work.ts';
import { type Json, JsonError, readJson } from './json-reader.ts';
import { jsonPieces, shortestDouble } from './json-text.ts';

/** Both ways: all of it by the reader, and arrays of numbers by the kernel before. */
function read(text: string | Buffer): Json {
  const bytes = Buffer.from(text);
  let plain: Json;
  try {
    plain = runAtOnce(readJson(bytes));
  } catch (error) {
    assert.throws(() => runAtOnce(readJson(bytes, { runs: findNumberRuns(bytes) })), error as JsonError);
    throw error;
  }
  assert.deepEqual(runAtOnce(readJson(bytes, { runs: findNumberRuns(bytes) })), plain);
  return plain;
}
const write = (value: Parameters<typeof jsonPieces>[0], int64: 'number' | 'string' = 'number') =>
  runAtOnce(jsonPieces(value, int64)).join('');

test('what JSON.parse reads is read alike, and written alike', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.nat(3), (text, space) => {
      const spaced = JSON.stringify(JSON.parse(text), null, space);
      assert.equal(write(read(spaced)), JSON.stringify(JSON.parse(spaced)));
    }),
    { numRuns: 2_000 },
  );
});

test('any double is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(17), (value, digits) => {
      for (const text of [String(value), value.toExponential(), value.toPrecision(digits + 1)]) {
        if (/^-?\d+$/.test(text)) continue;
        assert.ok(Object.is(read(text), JSON.parse(text)), text);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('an array of numbers is read as its numbers are, however long it is', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
    fc.constantFrom('-0', '1e3', '-1.5E-7', '999999999999999', '1000000000000000'),
  );
  const space = fc.constantFrom('', ' ', '\n', '\t');
  fc.assert(
    fc.property(fc.array(number, { maxLength: 60 }), space, (numbers, between) => {
      const found = read(`[${numbers.join(`,${between}`)}]`) as unknown[];
      assert.equal(found.length, numbers.length);
      for (const [at, text] of numbers.entries()) assert.ok(Object.is(found[at], read(text)), text);
    }),
    { numRuns: 1_000 },
  );
});

test('an array that is no JSON is refused, though it looks like numbers', () => {
  const numbers = '0.125,'.repeat(20);
  for (const end of ['', ',1]', '01]', '1.]', '.5]', '1e]', '--1]', '+1]', '1 2]', '1-]'])
    assert.throws(() => read(`[${numbers}${end}`), JsonError, end);
});

test('arrays of numbers stay typed within one member, the array of which they are rows', () => {
  const numbers = Array.from({ length: 9 }, (_, at) => at / 2);
  const text = { other: [numbers], data: [numbers, { deep: { v: numbers }, short: [1, 2] }] };
  const bytes = Buffer.from(JSON.stringify({ ...text, data2: { data: [numbers] } }));
  const value = runAtOnce(readJson(bytes, { runs: findNumberRuns(bytes), typedIn: 'data' }));
  const typed = Float64Array.from(numbers);
  assert.deepEqual(
    JSON.parse(JSON.stringify(value)),
    JSON.parse(
      JSON.stringify({
        ...text,
        data: [typed, { deep: { v: typed }, short: [1, 2] }],
        data2: { data: [numbers] },
      }),
    ),
  );
  const whole = Buffer.from(JSON.stringify({ data: numbers }));
  const { data } = runAtOnce(readJson(whole, { runs: findNumberRuns(whole), typedIn: 'data' })) as {
    data: Json;
  };
  assert.deepEqual(data, numbers);
});

test('an integer is exact whatever its size', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
      assert.equal(BigInt(read(String(value)) as number), value);
      assert.equal(write(read(`[${value}]`)), `[${value}]`);
    }),
  );
});

test('int64 values are numbers or texts, as the client wants', () => {
  assert.equal(write([9007199254740993n, 1]), '[9007199254740993,1]');
  assert.equal(write([9007199254740993n, 1], 'string'), '["9007199254740993",1]');
});

test('a key that could harm a prototype is a key like any other', () => {
  const value = read('{"__proto__":{"polluted":1},"constructor":2}') as Record<string, unknown>;
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor']);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

test('a float32 is written by the fewest digits that bring it back', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const short = shortestDouble(value);
      assert.ok(Math.fround(short) === value, String(value));
      // Those so small that they have fewer bits need not be the shortest.
      if (Math.abs(value) < 2 ** -126) return;
      const digitsOf = (number: number) => number.toExponential().replace(/e.*|[-.]/g, '').length;
      for (let digits = 1; digits < digitsOf(short); digits++)
        assert.notEqual(
          Math.fround(Number(value.toPrecision(digits))),
          value,
          `${value} in ${digits} digits`,
        );
      assert.ok(String(short).length <= String(value).length);
    }),
  );
  assert.equal(shortestDouble(Math.fround(0.1)), 0.1);
});

test('what is no JSON is refused with the place', () => {
  const cases: readonly (readonly [text: string, says: RegExp])[] = [
    ['', /^unexpected end/],
    ['{', /^unexpected end/],
    ['[1,]', /^unexpected "]" at byte 3$/],
    ['{"a":1,}', /^unexpected "}" at byte 7$/],
    ['{a:1}', /^unexpected "a" at byte 1$/],
    ["['a']", /^unexpected "'" at byte 1$/],
    ['01', /at byte/],
    ['-', /^unexpected end/],
    ['1.', /^unexpected end/],
    ['1e', /^unexpected end/],
    ['.5', /at byte 0/],
    ['+1', /at byte 0/],
    ['NaN', /at byte 0/],
    ['nul', /at byte 0/],
    ['"a', /^unexpected end/],
    ['"\\x"', /at byte 0/],
    ['"a\nb"', /at byte 2/],
    ['{} {}', /at byte 3/],
    ['['.repeat(129), /^nested deeper than 128 levels$/],
  ];
  for (const [text, says] of cases)
    assert.throws(
      () => read(text),
      (error) => error instanceof JsonError && says.test(error.message),
      text,
    );
  assert.throws(() => read(Buffer.from([0x22, 0xff, 0x22])), /invalid UTF-8/);
});

test('a long text is read in slices', () => {
  const work = readJson(Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, () => 0.5))));
  let yields = 0;
  while (!work.next().done) yields++;
  assert.ok(yields >= 4);
});
