import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, DataType, type FieldSchema, MilvusError } from '@elanus/model';
import { type Draft, encode, type schema_FieldData } from '@elanus/proto';
import fc from 'fast-check';
import { runAtOnce } from '../rows/sliced-work.ts';
import { readColumn, readColumnHeader } from './column-reader.ts';
import { encodeFieldData } from './field-data-writer.ts';
import { fieldOf } from './field-fixture.ts';

type FieldDataDraft = Draft<schema_FieldData>;

function read(bytes: Uint8Array, field: FieldSchema, rows: number): Column {
  return runAtOnce(readColumn(runAtOnce(readColumnHeader(bytes)), field, rows, { timeZone: 'UTC' }));
}

function readDraft(draft: FieldDataDraft, field: FieldSchema, rows: number): Column {
  return read(encode('schema.FieldData', draft), field, rows);
}

/** The rows of a column as plain values, nulls as null: what two columns are compared by. */
function rowsOf(column: Column): unknown[] {
  return Array.from({ length: column.length }, (_, row) =>
    column.validity?.[row] === 0 ? null : valueAt(column, row),
  );
}

function valueAt(column: Column, row: number): unknown {
  if ('values' in column) return column.values[row];
  if ('elements' in column) {
    const { elements, offsets } = column;
    const count = offsets[row + 1]! - offsets[row]!;
    return Array.from({ length: count }, (_, at) => valueAt(elements, offsets[row]! + at));
  }
  if ('dim' in column) {
    const width = column.bytes.length / column.length;
    return Buffer.from(column.bytes.subarray(row * width, (row + 1) * width)).toString('hex');
  }
  const bytes = Buffer.from(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]));
  return column.dataType === DataType.SparseFloatVector ? bytes.toString('hex') : bytes.toString();
}

function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function sparseRow(pairs: readonly (readonly [number, number])[]): Uint8Array {
  const row = Buffer.alloc(8 * pairs.length);
  for (const [at, [index, value]] of pairs.entries()) {
    row.writeUInt32LE(index, 8 * at);
    row.writeFloatLE(value, 8 * at + 4);
  }
  return row;
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int32 = fc.integer();
const small = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const text = fc.string({ unit: 'grapheme', maxLength: 80 });

interface Kind {
  readonly field: FieldSchema;
  readonly value: fc.Arbitrary<unknown>;
  readonly draft: (values: unknown[]) => FieldDataDraft;
  readonly expected?: (value: unknown) => unknown;
}

const scalars: readonly Kind[] = [
  {
    field: fieldOf(DataType.Bool),
    value: fc.boolean(),
    draft: (data) => ({ scalars: { boolData: { data: data as boolean[] } } }),
    expected: Number,
  },
  {
    field: fieldOf(DataType.Int8),
    value: small(8),
    draft: (data) => ({ scalars: { intData: { data: data as number[] } } }),
  },
  {
    field: fieldOf(DataType.Int16),
    value: small(16),
    draft: (data) => ({ scalars: { intData: { data: data as number[] } } }),
  },
  {
    field: fieldOf(DataType.Int32),
    value: int32,
    draft: (data) => ({ scalars: { intData: { data: data as number[] } } }),
  },
  {
    field: fieldOf(DataType.Int64),
    value: int64,
    draft: (data) => ({ scalars: { longData: { data: data as bigint[] } } }),
  },
  {
    field: fieldOf(DataType.Float),
    value: float,
    draft: (data) => ({ scalars: { floatData: { data: data as number[] } } }),
  },
  {
    field: fieldOf(DataType.Double),
    value: double,
    draft: (data) => ({ scalars: { doubleData: { data: data as number[] } } }),
  },
  {
    field: fieldOf(DataType.VarChar),
    value: text,
    draft: (data) => ({ scalars: { stringData: { data: data as string[] } } }),
  },
  {
    field: fieldOf(DataType.JSON),
    value: fc.json(),
    draft: (data) => ({
      scalars: { jsonData: { data: (data as string[]).map((each) => Buffer.from(each)) } },
    }),
  },
];

const vectors: readonly Kind[] = [
  {
    field: fieldOf(DataType.FloatVector, { dim: 3 }),
    value: fc.array(float, { minLength: 3, maxLength: 3 }),
    draft: (data) => ({ vectors: { dim: 3n, floatVector: { data: (data as number[][]).flat() } } }),
    expected: (value) => Buffer.from(floats(...(value as number[]))).toString('hex'),
  },
  {
    field: fieldOf(DataType.Float16Vector, { dim: 2 }),
    value: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    draft: (data) => ({ vectors: { dim: 2n, float16Vector: Buffer.concat(data as Uint8Array[]) } }),
    expected: (value) => Buffer.from(value as Uint8Array).toString('hex'),
  },
  {
    field: fieldOf(DataType.BinaryVector, { dim: 16 }),
    value: fc.uint8Array({ minLength: 2, maxLength: 2 }),
    draft: (data) => ({ vectors: { dim: 16n, binaryVector: Buffer.concat(data as Uint8Array[]) } }),
    expected: (value) => Buffer.from(value as Uint8Array).toString('hex'),
  },
  {
    field: fieldOf(DataType.SparseFloatVector),
    value: fc
      .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 2 }), float), {
        maxLength: 5,
        selector: ([index]) => index,
      })
      .map((pairs) => sparseRow(pairs.sort(([left], [right]) => left - right))),
    draft: (data) => ({ vectors: { sparseFloatVector: { contents: data as Uint8Array[] } } }),
    expected: (value) => Buffer.from(value as Uint8Array).toString('hex'),
  },
];

const kinds = [...scalars, ...vectors];

function same(kind: Kind, values: readonly unknown[]): unknown[] {
  return values.map((value) => (value === null ? null : (kind.expected?.(value) ?? value)));
}

for (const kind of kinds) {
  const name = Object.entries(DataType).find(([, number]) => number === kind.field.dataType)![0];

  test(`reads the values of ${name} that another codec wrote`, () => {
    fc.assert(
      fc.property(fc.array(kind.value, { minLength: 1, maxLength: 20 }), (values) => {
        const column = readDraft(kind.draft(values), kind.field, values.length);
        assert.deepEqual(rowsOf(column), same(kind, values));
        assert.equal(column.validity, null);
      }),
    );
  });

  test(`reads nulls of ${name}, sent compact or at full length`, () => {
    const field = { ...kind.field, nullable: true };
    const rows = fc.array(fc.record({ value: kind.value, isNull: fc.boolean() }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(rows, fc.boolean(), (sent, isCompact) => {
        const values = sent.filter((row) => !isCompact || !row.isNull).map((row) => row.value);
        const validData = sent.map((row) => !row.isNull);
        const column = readDraft({ ...kind.draft(values), validData }, field, sent.length);
        const expected = sent.map((row) => (row.isNull ? null : row.value));
        assert.deepEqual(rowsOf(column), same(kind, expected));
      }),
    );
  });

  test(`reads the answer's form of ${name} back`, () => {
    fc.assert(
      fc.property(fc.array(kind.value, { minLength: 1, maxLength: 20 }), (values) => {
        const column = readDraft(kind.draft(values), kind.field, values.length);
        const again = read(encodeFieldData(kind.field, column), kind.field, values.length);
        assert.deepEqual(rowsOf(again), rowsOf(column));
      }),
    );
  });

  test(`answers damaged bytes of ${name} with a column or an error of the client`, () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
    const rows = fc.array(kind.value, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(rows, damage, fc.nat(), (values, changes, cut) => {
        const bytes = Uint8Array.from(encode('schema.FieldData', kind.draft(values)));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const damaged = cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        try {
          const column = read(damaged, kind.field, values.length);
          assert.equal(column.length, values.length);
          rowsOf(column);
        } catch (error) {
          assert.ok(error instanceof MilvusError, String(error));
          assert.equal(error.code, 1100);
        }
      }),
      { numRuns: 500 },
    );
  });
}

for (const kind of scalars.slice(0, -1)) {
  test(`reads arrays of type ${kind.field.dataType}`, () => {
    const field = fieldOf(DataType.Array, { elementType: kind.field.dataType });
    fc.assert(
      fc.property(fc.array(fc.array(kind.value, { maxLength: 6 }), { minLength: 1 }), (rows) => {
        const data = rows.map((row) => kind.draft(row).scalars!);
        const draft = { scalars: { arrayData: { data, elementType: kind.field.dataType } } };
        const column = readDraft(draft, field, rows.length);
        assert.deepEqual(
          rowsOf(column),
          rows.map((row) => same(kind, row)),
        );
        const again = read(encodeFieldData(field, column), field, rows.length);
        assert.deepEqual(rowsOf(again), rowsOf(column));
      }),
    );
  });
}

/** Wire bytes in hex, put together by hand. */
function member(number: number, content: Buffer): Buffer {
  assert.ok(content.length < 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

test('reads elements that are not packed, and lists that come in pieces', () => {
  const unpacked = Buffer.from('0801' + '08ffffffffffffffffff01' + '0a020203', 'hex');
  const [first, second] = [unpacked.subarray(0, 2), unpacked.subarray(2)];
  const whole = member(3, member(3, unpacked));
  const inPieces = Buffer.concat([member(3, member(3, first)), member(3, member(3, second))]);
  for (const bytes of [whole, inPieces]) {
    assert.deepEqual(rowsOf(read(bytes, fieldOf(DataType.Int64), 4)), [1n, -1n, 2n, 3n]);
  }
});

test('the last member of the oneof wins', () => {
  const ints = encode('schema.FieldData', { scalars: { intData: { data: [7] } } });
  const longs = encode('schema.FieldData', { scalars: { longData: { data: [8n] } } });
  const bytes = Buffer.concat([ints, longs]);
  assert.deepEqual(rowsOf(read(bytes, fieldOf(DataType.Int64), 1)), [8n]);
});

test('reads validity beside the values, within them, and refuses two that differ', () => {
  const field = fieldOf(DataType.Int64, { nullable: true });
  const list = member(3, Buffer.from('0a0105', 'hex'));
  const own = Buffer.from('8a01020001', 'hex');
  const legacy = Buffer.from('3a020001', 'hex');
  const other = Buffer.from('3a020100', 'hex');
  const scalarField = member(3, Buffer.concat([list, own]));
  assert.deepEqual(rowsOf(read(scalarField, field, 2)), [null, 5n]);
  assert.deepEqual(rowsOf(read(Buffer.concat([scalarField, legacy]), field, 2)), [null, 5n]);
  assert.throws(() => read(Buffer.concat([scalarField, other]), field, 2), {
    message: /field {2}has different legacy and field-specific valid_data/,
  });
});

test('takes an empty value of a nullable JSON field for null', () => {
  const field = fieldOf(DataType.JSON, { nullable: true });
  const data = ['{}', '', '1'].map((each) => Buffer.from(each));
  assert.deepEqual(rowsOf(readDraft({ scalars: { jsonData: { data } } }, field, 3)), ['{}', null, '1']);
});

test('keeps vectors where they lie in the request', () => {
  const bytes = encode('schema.FieldData', {
    vectors: { dim: 4n, floatVector: { data: [1, 2, 3, 4] } },
  });
  const column = read(bytes, fieldOf(DataType.FloatVector, { dim: 4 }), 1);
  assert.ok('bytes' in column && column.bytes.buffer === bytes.buffer);
});

const refusals: readonly {
  readonly what: string;
  readonly draft: FieldDataDraft;
  readonly field: FieldSchema;
  readonly rows: number;
  readonly message: RegExp;
}[] = [
  {
    what: 'more values than rows',
    draft: { scalars: { longData: { data: [1n, 2n] } } },
    field: fieldOf(DataType.Int64),
    rows: 1,
    message: /^the num_rows \(2\) of field \(f\) is not equal to passed num_rows \(1\): invalid parameter$/,
  },
  {
    what: 'values of another type',
    draft: { scalars: { stringData: { data: ['1'] } } },
    field: fieldOf(DataType.Int64),
    rows: 1,
    message: /invalid parameter\[expected=need long array\]\[actual=got string array\]$/,
  },
  {
    what: 'no values at all',
    draft: {},
    field: fieldOf(DataType.FloatVector, { dim: 2 }),
    rows: 1,
    message: /\[expected=need float vector\]\[actual=got nil\]$/,
  },
  {
    what: 'another dimension',
    draft: { vectors: { dim: 3n, floatVector: { data: [1, 2, 3] } } },
    field: fieldOf(DataType.FloatVector, { dim: 2 }),
    rows: 1,
    message: /the dim \(3\) of field data\(f\) is not equal to schema dim \(2\)/,
  },
  {
    what: 'half a vector',
    draft: { vectors: { dim: 2n, floatVector: { data: [1, 2, 3] } } },
    field: fieldOf(DataType.FloatVector, { dim: 2 }),
    rows: 1,
    message: /the length\(3\) of float data should divide the dim\(2\)/,
  },
  {
    what: 'an Int8 that is none',
    draft: { scalars: { intData: { data: [1, 128] } } },
    field: fieldOf(DataType.Int8),
    rows: 2,
    message: /the 1th element \(128\) out of range: \[-128, 127\]/,
  },
  {
    what: 'a sparse vector whose indices do not ascend',
    draft: {
      vectors: {
        sparseFloatVector: {
          contents: [
            sparseRow([
              [2, 1],
              [2, 1],
            ]),
          ],
        },
      },
    },
    field: fieldOf(DataType.SparseFloatVector),
    rows: 1,
    message: /unsorted or same indices in sparse float vector/,
  },
  {
    what: 'a sparse vector with a torn pair',
    draft: { vectors: { sparseFloatVector: { contents: [Buffer.alloc(9)] } } },
    field: fieldOf(DataType.SparseFloatVector),
    rows: 1,
    message: /invalid data length in sparse float vector/,
  },
  {
    what: 'a sparse vector with infinity',
    draft: { vectors: { sparseFloatVector: { contents: [sparseRow([[1, Number.POSITIVE_INFINITY]])] } } },
    field: fieldOf(DataType.SparseFloatVector),
    rows: 1,
    message: /is not a number or infinity/,
  },
  {
    what: 'an array of other elements',
    draft: { scalars: { arrayData: { data: [{ stringData: { data: ['x'] } }], elementType: 21 } } },
    field: fieldOf(DataType.Array, { elementType: DataType.Int32 }),
    rows: 1,
    message: /row 0 is not an array of Int32/,
  },
  {
    what: 'a validity of another length',
    draft: { scalars: { longData: { data: [1n] } }, validData: [true] },
    field: fieldOf(DataType.Int64, { nullable: true }),
    rows: 2,
    message: /the length \(1\) of valid_data of field \(f\) is not equal to passed num_rows \(2\)/,
  },
  {
    what: 'neither compact nor full-length nulls',
    draft: { scalars: { longData: { data: [1n, 2n] } }, validData: [true, false, false] },
    field: fieldOf(DataType.Int64, { nullable: true }),
    rows: 3,
    message: /the length of field \(f\) is wrong: 2 values for 1 valid rows of 3/,
  },
];

for (const { what, draft, field, rows, message } of refusals) {
  test(`refuses ${what}`, () => {
    assert.throws(() => readDraft(draft, field, rows), { name: 'MilvusError', code: 1100, message });
  });
}

test('refuses text that is not UTF-8, also when only a boundary is wrong', () => {
  const invalid = member(3, member(6, member(1, Buffer.from('ff', 'hex'))));
  const torn = member(
    3,
    member(6, Buffer.concat([member(1, Buffer.from('c3', 'hex')), member(1, Buffer.from('a4', 'hex'))])),
  );
  assert.throws(() => read(invalid, fieldOf(DataType.VarChar), 1), /not valid UTF-8, row number: 0/);
  assert.throws(() => read(torn, fieldOf(DataType.VarChar), 2), /not valid UTF-8, row number: 0/);
});
