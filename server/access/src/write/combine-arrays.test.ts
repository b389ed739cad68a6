import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ArrayColumn, DataType, type ElementColumn, MilvusError } from '@elanus/model';
import { fieldFixture } from '@elanus/model/testing';
import { runAtOnce } from '../rows/sliced-work.ts';
import { type ArrayOperation, combineArrays } from './combine-arrays.ts';

type Rows = readonly (readonly (bigint | string)[] | null)[];

const field = fieldFixture(101, 'tags', DataType.Array, { maxCapacity: 4 });

function arraysOf(rows: Rows): ArrayColumn {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [row, values] of rows.entries()) offsets[row + 1] = offsets[row]! + (values?.length ?? 0);
  const flags = Uint8Array.from(rows, (row) => (row === null ? 0 : 1));
  const validity = flags.includes(0) ? flags : null;
  const elements = elementsOf(rows.flatMap((row) => row ?? []));
  return { dataType: DataType.Array, length: rows.length, validity, offsets, elements };
}

function elementsOf(values: readonly (bigint | string)[]): ElementColumn {
  const base = { length: values.length, validity: null };
  if (values.some((value) => typeof value === 'string')) {
    const texts = values.map((value) => Buffer.from(String(value)));
    const offsets = new Uint32Array(values.length + 1);
    for (const [at, text] of texts.entries()) offsets[at + 1] = offsets[at]! + text.length;
    return { dataType: DataType.VarChar, ...base, offsets, bytes: Buffer.concat(texts) };
  }
  return { dataType: DataType.Int64, ...base, values: BigInt64Array.from(values as bigint[]) };
}

function rowsOf({ length, validity, offsets, elements }: ArrayColumn): Rows {
  const value = (at: number) =>
    elements.dataType === DataType.VarChar
      ? Buffer.from(elements.bytes.subarray(elements.offsets[at]!, elements.offsets[at + 1]!)).toString()
      : BigInt(elements.values[at]!);
  return Array.from({ length }, (_, row) =>
    validity?.[row] === 0
      ? null
      : Array.from({ length: offsets[row + 1]! - offsets[row]! }, (_, at) => value(offsets[row]! + at)),
  );
}

const CASES: readonly (readonly [what: string, ArrayOperation, kept: Rows, sent: Rows, wanted: Rows])[] = [
  ['adds behind', 'append', [[1n, 2n], []], [[3n], [4n]], [[1n, 2n, 3n], [4n]]],
  ['adds texts', 'append', [['é'], ['b']], [['', 'x'], []], [['é', '', 'x'], ['b']]],
  ['makes an array of none', 'append', [null, null], [[1n], null], [[1n], null]],
  ['takes out every equal element', 'remove', [[7n, 1n, 7n], [7n]], [[7n], [8n]], [[1n], [7n]]],
  ['takes out texts by their bytes', 'remove', [['a', 'A', 'a']], [['a', 'b']], [['A']]],
  ['takes nothing out of none', 'remove', [null, [1n]], [[1n], null], [null, [1n]]],
];
for (const [what, operation, kept, sent, wanted] of CASES) {
  test(`an operation ${what}`, () => {
    const combined = runAtOnce(combineArrays(field, arraysOf(kept), arraysOf(sent), operation));
    assert.deepEqual(rowsOf(combined), wanted);
  });
}

test('an array does not grow beyond what its field allows', () => {
  const longest = arraysOf([[1n], [1n, 2n, 3n]]);
  const fits = arraysOf([[5n, 6n, 7n], [4n]]);
  assert.deepEqual(rowsOf(runAtOnce(combineArrays(field, longest, fits, 'append'))), [
    [1n, 5n, 6n, 7n],
    [1n, 2n, 3n, 4n],
  ]);
  const tooLong = arraysOf([[], [4n, 5n]]);
  assert.throws(
    () => runAtOnce(combineArrays(field, longest, tooLong, 'append')),
    (error) => {
      assert.ok(error instanceof MilvusError);
      assert.match(error.message, /the length \(5\) of 1th array exceeds max capacity \(4\) of field tags/);
      return true;
    },
  );
});
