import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findNumberRuns, findNumberRunsAside, type NumberRuns } from './number-runs.ts';

interface Found {
  readonly text: string;
  readonly numbers: readonly number[];
}

function shown(bytes: Buffer, { count, words, numbers }: NumberRuns): readonly Found[] {
  return Array.from({ length: count }, (_, at) => {
    const [begin, end, first, length] = words.subarray(4 * at) as unknown as [number, number, number, number];
    return {
      text: bytes.toString('utf8', begin, end),
      numbers: [...numbers.subarray(first, first + length)],
    };
  });
}

const found = (text: string) => shown(Buffer.from(text), findNumberRuns(Buffer.from(text)));
const EIGHT = '1,2,3,4,5,6,7,8';

test('arrays of eight numbers and more are found, wherever they are', () => {
  const text = `{"a":[${EIGHT}],"b":[[1,2],[ 0.5 ,\n${EIGHT}\t]],"c":"[${EIGHT}]","d\\"[":[-0,1e3,${EIGHT}]}`;
  assert.deepEqual(
    found(text).map(({ numbers }) => numbers.slice(0, 2)),
    [
      [1, 2],
      [0.5, 1],
      [-0, 1000],
    ],
  );
});

test('what is found is what JSON.parse makes of it', () => {
  const number = fc
    .oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
      fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.integer().map(String),
    )
    .filter((text) => !/^-?\d{16,}$/.test(text));
  const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      number,
      fc.string().map((text) => JSON.stringify(text)),
      fc.constantFrom('true', 'null', '{}', '[]'),
      fc.array(number, { minLength: 5, maxLength: 40 }).map((numbers) => `[${numbers.join(' , ')}]`),
      fc.array(tie('value'), { maxLength: 4 }).map((values) => `[${values.join(',')}]`),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }).map(
        (members) =>
          `{${Object.entries(members)
            .map(([key, member]) => `${JSON.stringify(key)}:${member}`)
            .join(',')}}`,
      ),
    ),
  })).value;
  fc.assert(
    fc.property(value, (text) => {
      for (const { text: own, numbers } of found(text)) {
        const parsed = JSON.parse(own) as number[];
        assert.equal(numbers.length, parsed.length);
        for (const [at, each] of numbers.entries()) assert.ok(Object.is(each, parsed[at]), own);
      }
      assert.equal(found(text).length, longArrays(JSON.parse(text)));
    }),
    { numRuns: 2_000 },
  );
});

/** How many arrays of at least eight numbers, and nothing else, there are. */
function longArrays(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  const own = Array.isArray(value) && value.length >= 8 && value.every((each) => typeof each === 'number');
  return (own ? 1 : 0) + members.reduce((sum: number, member) => sum + longArrays(member), 0);
}

test('what doubles may not hold, or is no number, makes an array none of these', () => {
  for (const wrong of [
    '1234567890123456',
    '1e999',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '-',
    'NaN',
    '"1"',
    '',
    'null',
  ])
    assert.deepEqual(found(`[${EIGHT},${wrong}]`), [], wrong);
  for (const end of ['', ',', ',9', ' 9]', '}']) assert.deepEqual(found(`[${EIGHT}${end}`), [], end);
  assert.equal(found(`[${EIGHT},999999999999999,1e-5,1234567890123456.5]`).length, 1);
});

test('any bytes give arrays of numbers, or nothing', () => {
  const piece = fc.constantFrom('[', ']', ',', EIGHT, '"', '\\', ' ', '1', '.', 'e', '-', 'x', '{', ':');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      for (const { text, numbers } of found(pieces.join(''))) assert.deepEqual(numbers, JSON.parse(text));
    }),
    { numRuns: 5_000 },
  );
});

test('another thread finds the same', async () => {
  const rows = Array.from({ length: 500 }, (_, row) => Array.from({ length: 32 }, (_, at) => row / (at + 1)));
  const bytes = Buffer.from(JSON.stringify(rows));
  const aside = shown(bytes, await findNumberRunsAside(bytes));
  assert.deepEqual(
    aside.map(({ numbers }) => numbers),
    rows,
  );
  assert.deepEqual(aside, shown(bytes, findNumberRuns(bytes)));
  assert.deepEqual(shown(bytes, await findNumberRunsAside(Buffer.from('{"a":1}'))), []);
});
