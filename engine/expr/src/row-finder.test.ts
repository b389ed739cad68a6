import assert from 'node:assert/strict';
import test from 'node:test';
import { type Column, DataType, type FieldId, type VarCharColumn } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { compilePredicate } from './compile.ts';
import { planFilter } from './plan-filter.ts';
import { drawFrom } from './testing/fuzzed-filters.ts';

/** More than are tested in one run. */
const ROWS = 20_003;
const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'text', DataType.VarChar, { nullable: true }),
  fieldFixture(102, 'longs', DataType.Array, { elementType: DataType.Int64 }),
  fieldFixture(103, 'bytes', DataType.Array, { elementType: DataType.Int8 }),
]);
const draw = drawFrom(11);

/** Texts of few letters, many of which are alike, begin alike, or are empty, as the last ones are. */
const TEXTS = Array.from({ length: ROWS }, (_, row) =>
  row > ROWS - 4
    ? ''
    : Array.from({ length: draw(8) }, () => 'abé'[draw(3)]!)
        .join('')
        .repeat(1 + draw(2)),
);
const VALIDITY = Uint8Array.from(TEXTS, () => (draw(10) === 0 ? 0 : 1));
const LISTS = Array.from({ length: ROWS }, () => Array.from({ length: draw(5) }, () => draw(9) - 4));

function textColumn(): VarCharColumn {
  const offsets = new Uint32Array(ROWS + 1);
  for (const [i, text] of TEXTS.entries()) offsets[i + 1] = offsets[i]! + Buffer.byteLength(text);
  const bytes = Buffer.from(TEXTS.join(''));
  return { dataType: DataType.VarChar, length: ROWS, validity: VALIDITY, offsets, bytes };
}

function arrayColumn(dataType: typeof DataType.Int64 | typeof DataType.Int8): Column {
  const offsets = new Uint32Array(ROWS + 1);
  for (const [i, list] of LISTS.entries()) offsets[i + 1] = offsets[i]! + list.length;
  const flat = LISTS.flat();
  const base = { length: flat.length, validity: null };
  const elements =
    dataType === DataType.Int64
      ? { ...base, dataType, values: BigInt64Array.from(flat, BigInt) }
      : { ...base, dataType, values: Int8Array.from(flat) };
  return { dataType: DataType.Array, length: ROWS, validity: null, offsets, elements };
}

const COLUMNS = new Map<FieldId, Column>([
  [101 as FieldId, textColumn()],
  [102 as FieldId, arrayColumn(DataType.Int64)],
  [103 as FieldId, arrayColumn(DataType.Int8)],
]);
const source = { column: (id: FieldId): Column => COLUMNS.get(id)! };

const LITERALS = [
  '',
  'a',
  'ab',
  'é',
  'aba',
  'abab',
  'ababa',
  'éaéa',
  'abéabé',
  'bbbbbbbbbbbbbb',
  'ab'.repeat(40),
];
const isThere = (row: number): boolean => VALIDITY[row] === 1;

const CASES: readonly (readonly [filter: string, wanted: (row: number) => boolean])[] = [
  ...LITERALS.flatMap((text) => [
    [`text == "${text}"`, (row: number) => isThere(row) && TEXTS[row] === text] as const,
    [`text != "${text}"`, (row: number) => isThere(row) && TEXTS[row] !== text] as const,
    [`text like "${text}%"`, (row: number) => isThere(row) && TEXTS[row]!.startsWith(text)] as const,
    [`not (text like "${text}%")`, (row: number) => isThere(row) && !TEXTS[row]!.startsWith(text)] as const,
    [`text like "%${text}%"`, (row: number) => isThere(row) && TEXTS[row]!.includes(text)] as const,
    [
      `text like "${text}%b"`,
      (row: number) =>
        isThere(row) &&
        TEXTS[row]!.startsWith(text) &&
        TEXTS[row]!.endsWith('b') &&
        TEXTS[row]!.length > text.length,
    ] as const,
  ]),
  ...['longs', 'bytes'].flatMap((name) =>
    [-4, 0, 3, 9].flatMap((value) => [
      [`array_contains(${name}, ${value})`, (row: number) => LISTS[row]!.includes(value)] as const,
      [`not array_contains(${name}, ${value})`, (row: number) => !LISTS[row]!.includes(value)] as const,
    ]),
  ),
];

for (const [text, wanted] of CASES)
  test(`finds the rows that a look at each finds: ${text.slice(0, 40)}`, () => {
    const filter = compilePredicate(planFilter(text, schema)!);
    for (const [start, end] of [
      [0, ROWS],
      [8, 8_203],
      [ROWS - 5, ROWS],
    ] as const) {
      const expected = Uint8Array.from({ length: end - start }, (_, i) => Number(wanted(start + i)));
      const matches = new Uint8Array(end - start).fill(7);
      filter(source, start, end, matches);
      assert.deepEqual(matches, expected);
      if (filter.bits === undefined) continue;
      const bits = new Uint8Array((end - start + 7) >> 3).fill(0xff);
      filter.bits({ source, start, end }, bits, 0);
      const asBytes = Uint8Array.from(expected, (_, i) => (bits[i >> 3]! >> (i & 7)) & 1);
      assert.deepEqual(asBytes, expected);
    }
  });
