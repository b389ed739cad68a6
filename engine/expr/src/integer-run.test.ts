import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readIntegerRun } from './integer-run.ts';

function readAll(text: string, countMax = 100): { values: bigint[]; rest: string } {
  const into = new BigInt64Array(100);
  const { count, end } = readIntegerRun(text, 0, into, 0, countMax);
  return { values: [...into.subarray(0, count)], rest: text.slice(end) };
}

test('reads every int64 as bigint does', () => {
  const integer = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }),
    fc.integer({ min: 0, max: 19 }).map((digits) => 10n ** BigInt(digits) - 1n),
    fc.integer({ min: 0, max: 62 }).map((bits) => -(2n ** BigInt(bits))),
  );
  fc.assert(
    fc.property(
      fc.array(
        integer.filter((value) => value < 2n ** 63n),
        { maxLength: 20 },
      ),
      (values) => {
        assert.deepEqual(readAll(`${values.join(' ,\n')}]`), {
          values,
          rest: values.length === 0 ? ']' : ']',
        });
      },
    ),
    { numRuns: 2_000 },
  );
});

const STOPS: readonly (readonly [text: string, values: readonly bigint[], rest: string])[] = [
  ['1, 2.5, 3]', [1n], ' 2.5, 3]'],
  ['1, "a"]', [1n], ' "a"]'],
  ['1, 010]', [1n], ' 010]'],
  ['0x10]', [], '0x10]'],
  ['- 5, --5]', [-5n], ' --5]'],
  ['1, 9223372036854775808]', [1n], ' 9223372036854775808]'],
  ['9223372036854775807, -9223372036854775807]', [2n ** 63n - 1n, 1n - 2n ** 63n], ']'],
  ['1, 12345678901234567890123]', [1n], ' 12345678901234567890123]'],
  ['0, -0,]', [0n, 0n], ']'],
  ['1 2]', [], '1 2]'],
  ['1', [], '1'],
  ['', [], ''],
];
for (const [text, values, rest] of STOPS)
  test(`of "${text}" reads ${values.length === 0 ? 'nothing' : values.join(' and ')}`, () =>
    assert.deepEqual(readAll(text), { values, rest }));

test('stops after as many as are asked for', () => {
  assert.deepEqual(readAll('1,2,3]', 2), { values: [1n, 2n], rest: '3]' });
});
