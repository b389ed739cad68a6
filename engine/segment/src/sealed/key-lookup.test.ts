import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType, type Int64Column, type VarCharColumn } from '@elanus/model';
import fc from 'fast-check';
import { KeyFilter, keyHasher } from '../files/key-filter.ts';
import { KeyLookup } from './key-lookup.ts';

function numbers(values: readonly bigint[]): Int64Column {
  return {
    dataType: DataType.Int64,
    length: values.length,
    validity: null,
    values: BigInt64Array.from(values),
  };
}

function texts(values: readonly string[]): VarCharColumn {
  const parts = values.map((value) => Buffer.from(value));
  const offsets = new Uint32Array(values.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  return {
    dataType: DataType.VarChar,
    length: values.length,
    validity: null,
    offsets,
    bytes: Buffer.concat(parts),
  };
}

type Keys = Int64Column | VarCharColumn;

/** What a file with these keys answers for each of `wanted`, by both ways to ask it. */
function answers(stored: Keys, order: Uint32Array | null, wanted: Keys): readonly (readonly number[])[] {
  const filter = KeyFilter.forKeys(stored.length);
  filter.add(stored, 0, stored.length);
  const lookup = new KeyLookup(stored, filter, order);
  const hash = { low: 0, high: 0 };
  return Array.from({ length: wanted.length }, (_, row) => {
    keyHasher(wanted)(row, hash);
    const found = lookup.find(wanted, row, hash);
    assert.deepEqual(lookup.rowsOf(wanted, row), found);
    return found;
  });
}

/** Row numbers in the order of their values, and of equal ones as they come. */
function orderOf(values: readonly (bigint | string)[]): Uint32Array {
  const before = (a: bigint | string, b: bigint | string): number => (a < b ? -1 : a > b ? 1 : 0);
  return Uint32Array.from(values.keys()).sort((a, b) => before(values[a]!, values[b]!) || a - b);
}

function expectFound(values: readonly (bigint | string)[], wanted: readonly (bigint | string)[]): void {
  const columnOf = (list: readonly (bigint | string)[]): Keys =>
    typeof (values[0] ?? wanted[0]) === 'string' ? texts(list as string[]) : numbers(list as bigint[]);
  const expected = (list: readonly (bigint | string)[]) =>
    wanted.map((key) => list.flatMap((value, row) => (value === key ? [row] : [])));
  const order = orderOf(values);
  assert.deepEqual(answers(columnOf(values), order, columnOf(wanted)), expected(values));
  const sorted = [...order].map((row) => values[row]!);
  assert.deepEqual(answers(columnOf(sorted), null, columnOf(wanted)), expected(sorted));
}

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;
const key = fc.oneof(
  fc.bigInt(-20n, 20n),
  fc.bigInt(LEAST, GREATEST),
  fc.constantFrom(LEAST, LEAST + 1n, GREATEST - 1n, GREATEST, 2n ** 32n, -(2n ** 32n)),
);

test('finds the rows of every number, wherever the numbers lie', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), fc.array(key), (values, others) => {
      expectFound(values, [...values, ...others]);
    }),
  );
});

test('finds the rows of every text', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', ' '), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 60 }), fc.array(text), (values, others) => {
      expectFound(values, [...values, ...others]);
    }),
  );
});

test('finds each of many numbers that were counted up, with a gap in the middle', () => {
  const values = Array.from({ length: 1_000 }, (_, i) => BigInt(i < 600 ? 7 * i : 7 * i + 10 ** 12));
  expectFound(values, [...values, -1n, 1n, 7n * 600n, 10n ** 12n, 10n ** 13n]);
});

test('tells whether another file may have any of its keys, and whether one is there twice', () => {
  const kinds = [
    { value: fc.bigInt(-9n, 9n).map((small) => small * 2n ** 31n), columnOf: numbers },
    { value: fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), maxLength: 3 }), columnOf: texts },
  ] as const;
  for (const { value, columnOf } of kinds) {
    const list = fc.array(value as fc.Arbitrary<bigint | string>, { minLength: 1, maxLength: 6 });
    const lookupOf = (values: readonly (bigint | string)[]) => {
      const stored = (columnOf as (values: readonly (bigint | string)[]) => Keys)(values);
      return new KeyLookup(stored, KeyFilter.forKeys(stored.length), orderOf(values));
    };
    fc.assert(
      fc.property(list, list, fc.integer({ min: 1, max: 7 }), (left, right, step) => {
        const [mine, others] = [lookupOf(left), lookupOf(right)];
        const isUpTo = (a: bigint | string, b: bigint | string) =>
          typeof a === 'string'
            ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) <= 0
            : a <= BigInt(b);
        const overlap =
          left.some((one) => right.some((other) => isUpTo(one, other))) &&
          right.some((one) => left.some((other) => isUpTo(one, other)));
        assert.equal(mine.mayShare(others), overlap);
        assert.equal(others.mayShare(mine), overlap);
        let isRising = true;
        for (let start = 0; start < left.length; start += step)
          isRising &&= mine.isRising(start, start + step);
        assert.equal(isRising, new Set(left).size === left.length);
      }),
    );
  }
});
