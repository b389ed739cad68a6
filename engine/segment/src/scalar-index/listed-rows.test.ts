import assert from 'node:assert/strict';
import test from 'node:test';
import { type OperandLeaf, planFilter } from '@elanus/expr';
import { type Column, DataType, type FieldSchema } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { seededRandom } from '@elanus/runtime';
import { buildScalarIndex } from './build-scalar-index.ts';
import { scalarIndexSpec } from './plan-index.ts';
import { probeIndex } from './probe-index.ts';
import type { ScalarIndexData } from './scalar-index.ts';

const ROWS = 8_192;
const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int64, { nullable: true }),
  fieldFixture(102, 'text', DataType.VarChar),
  fieldFixture(103, 'tags', DataType.Array, { elementType: DataType.Int32 }),
]);
const random = seededRandom(7);

function numbers(): Column {
  const values = BigInt64Array.from({ length: ROWS }, () => BigInt(random.below(2_000)));
  const validity = Uint8Array.from(values, () => (random.chance(0.1) ? 0 : 1));
  return { dataType: DataType.Int64, length: ROWS, validity, values };
}

function texts(): Column {
  const parts = Array.from({ length: ROWS }, () =>
    Buffer.from(`${random.below(1_000)} and ${random.below(1_000)}`),
  );
  const offsets = new Uint32Array(ROWS + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  return { dataType: DataType.VarChar, length: ROWS, validity: null, offsets, bytes: Buffer.concat(parts) };
}

function arrays(): Column {
  const offsets = new Uint32Array(ROWS + 1);
  for (let row = 0; row < ROWS; row++) offsets[row + 1] = offsets[row]! + random.below(4);
  const length = offsets[ROWS]!;
  const values = Int32Array.from({ length }, () => random.below(1_000));
  const elements = { dataType: DataType.Int32, length, validity: null, values } as const;
  return { dataType: DataType.Array, length: ROWS, validity: null, offsets, elements };
}

function indexOf(name: string, indexType: string, column: Column): ScalarIndexData {
  const field = schema.fields.find((one) => one.name === name) as FieldSchema;
  const spec = scalarIndexSpec({ indexType, field, steps: null, castType: null, gramMin: 3 })!;
  return buildScalarIndex(spec, [{ column, rows: ROWS, firstRow: 0 }], 1);
}

const CASES = [
  [
    indexOf('number', 'STL_SORT', numbers()),
    ['number < 5', 'number == 7', '100 <= number < 104', 'number in [1900, 3, 5, 1]', 'not (number > 2)'],
  ],
  [indexOf('text', 'TRIE', texts()), ['text like "12 %"', 'text < "1 and 1"']],
  [indexOf('text', 'NGRAM', texts()), ['text like "%456 and%"', 'text like "%123%"']],
  [indexOf('tags', 'INVERTED', arrays()), ['array_contains(tags, 5)']],
] as const;

for (const [index, filters] of CASES)
  for (const filter of filters)
    test(`few rows are listed as they are marked: ${filter}, by ${index.spec.kind}`, () => {
      const probe = probeIndex(index, planFilter(filter, schema)!.condition as OperandLeaf)!;
      const bits = new Uint8Array(ROWS / 8);
      const marking = probe.marking(bits);
      while (!marking.next().done);
      const marked = Array.from({ length: ROWS }, (_, row) => row).filter(
        (row) => ((bits[row >> 3]! >> (row & 7)) & 1) === 1,
      );
      assert.ok(marked.length > 0);
      assert.deepEqual([...probe.listing!()], marked);
    });

test('many rows are not listed', () => {
  const [[index]] = CASES;
  const probe = probeIndex(index, planFilter('number < 1000', schema)!.condition as OperandLeaf)!;
  assert.equal(probe.listing, undefined);
});
