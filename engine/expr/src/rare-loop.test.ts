import assert from 'node:assert/strict';
import test from 'node:test';
import { type Column, DataType } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { compilePredicate } from './compile.ts';
import { planFilter } from './plan-filter.ts';

const ROWS = 20_003;
const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'int', DataType.Int32, { nullable: true }),
  fieldFixture(102, 'double', DataType.Double),
]);

/** 7 is rare in some thousands of rows, and common in the next ones. */
const valueAt = (row: number): number =>
  Math.floor(row / 3_000) % 2 === 0 ? (row * 31) % 997 : (row * 7) % 8;
const isThere = (row: number): boolean => row % 11 !== 0;

const length = ROWS;
const validity = Uint8Array.from({ length }, (_, row) => Number(isThere(row)));
const ints = Int32Array.from({ length }, (_, row) => valueAt(row));
const COLUMNS: readonly Column[] = [
  { dataType: DataType.Int32, length, validity, values: ints },
  { dataType: DataType.Double, length, validity: null, values: Float64Array.from(ints) },
];

const CASES = [
  ['int == 7', (row: number) => isThere(row) && valueAt(row) === 7],
  ['int == 5000', () => false],
  ['not (int == 7)', (row: number) => isThere(row) && valueAt(row) !== 7],
  ['double == 7', (row: number) => valueAt(row) === 7],
  ['double == 7 and int == 7', (row: number) => isThere(row) && valueAt(row) === 7],
] as const;

for (const [text, wanted] of CASES)
  test(`rows are found where few of them pass, and where many do: ${text}`, () => {
    const filter = compilePredicate(planFilter(text, schema)!);
    const source = { column: (id: number): Column => COLUMNS[id - 101]! };
    for (const [start, end] of [
      [0, ROWS],
      [2_904, 9_001],
      [3_000, 4_030],
      [16, 1_000],
    ] as const) {
      const bits = new Uint8Array((end - start + 7) >> 3).fill(0xff);
      filter.bits!({ source, start, end }, bits, 0);
      const found = Array.from({ length: end - start }, (_, i) => (bits[i >> 3]! >> (i & 7)) & 1);
      assert.deepEqual(
        found,
        Array.from({ length: end - start }, (_, i) => Number(wanted(start + i))),
      );
    }
  });
