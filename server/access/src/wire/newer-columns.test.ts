import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Column,
  DataType,
  type DenseVectorType,
  denseVectorBytes,
  type FieldSchema,
} from '@elanus/model';
import { encode } from '@elanus/proto';
import fc from 'fast-check';
import { runAtOnce } from '../rows/sliced-work.ts';
import { isAllNull, readColumn, readColumnHeader, readStructHeaders } from './column-reader.ts';
import { encodeFieldData, writeOutput } from './field-data-writer.ts';
import { fieldOf } from './field-fixture.ts';
import { writeInstants } from './instants.ts';
import { MessageWriter } from './message-writer.ts';

const UTC = { timeZone: 'UTC' };

function read(bytes: Uint8Array, field: FieldSchema, rows: number, context = UTC): Column {
  return runAtOnce(readColumn(runAtOnce(readColumnHeader(bytes)), field, rows, context));
}

/** The vectors of each row in hexadecimal; `null` for nulls. */
function vectorsOf(column: Column): unknown[] {
  assert.ok(column.dataType === DataType.ArrayOfVector);
  const { offsets, elements, validity } = column;
  const size = denseVectorBytes(elements.dataType, elements.dim);
  return Array.from({ length: column.length }, (_, row) =>
    validity?.[row] === 0
      ? null
      : Buffer.from(elements.bytes.subarray(offsets[row]! * size, offsets[row + 1]! * size)).toString('hex'),
  );
}

const DIM = 16;
const vectorType = fc.constantFrom<DenseVectorType>(
  ...[DataType.FloatVector, DataType.BinaryVector, DataType.Float16Vector, DataType.Int8Vector],
  DataType.BFloat16Vector,
);
const rowsOfVectors = fc.array(fc.option(fc.nat({ max: 3 }), { freq: 4 }), { maxLength: 6 });

function vectorArray(elementType: DenseVectorType, counts: readonly (number | null)[]): Column {
  const offsets = new Uint32Array(counts.length + 1);
  for (const [row, count] of counts.entries()) offsets[row + 1] = offsets[row]! + (count ?? 0);
  const length = offsets.at(-1)!;
  const bytes = Uint8Array.from({ length: length * denseVectorBytes(elementType, DIM) }, (_, at) => at % 60);
  const elements = { dataType: elementType, dim: DIM, length, validity: null, bytes };
  const validity = Uint8Array.from(counts, (count) => (count === null ? 0 : 1));
  return { dataType: DataType.ArrayOfVector, length: counts.length, validity, offsets, elements };
}

test('arrays of vectors of every kind come back as they were written', () => {
  fc.assert(
    fc.property(vectorType, rowsOfVectors, (elementType, counts) => {
      const field = fieldOf(DataType.ArrayOfVector, { elementType, dim: DIM, nullable: true });
      const column = vectorArray(elementType, counts);
      const again = read(encodeFieldData(field, column), field, counts.length);
      assert.deepEqual(vectorsOf(again), vectorsOf(column));
    }),
  );
});

test('an array of structs is one column with a column for each sub-field, under their plain names', () => {
  const fields = [
    fieldOf(DataType.Array, { name: 's[n]', elementType: DataType.Int32 }),
    fieldOf(DataType.ArrayOfVector, { name: 's[v]', elementType: DataType.FloatVector, dim: DIM }),
  ] as const;
  const numbers: Column = {
    dataType: DataType.Array,
    length: 2,
    validity: null,
    offsets: Uint32Array.of(0, 2, 3),
    elements: { dataType: DataType.Int32, length: 3, validity: null, values: Int32Array.of(7, -1, 5) },
  };
  const vectors = vectorArray(DataType.FloatVector, [2, 1]);
  const struct = { id: 101, name: 's', description: '', nullable: false, typeParams: [], fieldIds: [] };
  const writer = new MessageWriter();
  const subFields = [
    { field: fields[0], column: numbers },
    { field: fields[1], column: vectors },
  ];
  writeOutput(writer, { struct: struct as never, subFields });
  const sent = runAtOnce(readColumnHeader(writer.finish()));
  assert.equal(sent.fieldName, 's');
  assert.equal(sent.dataType, DataType.ArrayOfStruct);
  const headers = runAtOnce(readStructHeaders(sent));
  assert.deepEqual(
    headers.map(({ fieldName }) => fieldName),
    ['n', 'v'],
  );
  const again = headers.map((header, at) => runAtOnce(readColumn(header, fields[at]!, 2, UTC)));
  assert.deepEqual(again[0], { ...numbers, length: 2 });
  assert.deepEqual(vectorsOf(again[1]!), vectorsOf(vectors));
});

test('what sub-fields don’t say of nulls their struct says for them', () => {
  const arrayData = { data: [{ intData: { data: [1] } }], elementType: DataType.Int32 };
  const bytes = encode('schema.FieldData', {
    fieldName: 's',
    validData: [false, true],
    structArrays: {
      fields: [
        { fieldName: 'a', scalars: { arrayData } },
        { fieldName: 'b', scalars: { arrayData }, validData: [true, false] },
      ],
    },
  });
  const [a, b] = runAtOnce(readStructHeaders(runAtOnce(readColumnHeader(bytes))));
  assert.deepEqual(
    [[...a!.validity], [...b!.validity]],
    [
      [0, 1],
      [1, 0],
    ],
  );
});

test('a column of nulls alone may come without any values', () => {
  const header = (validData: boolean[]) =>
    runAtOnce(readColumnHeader(encode('schema.FieldData', { fieldName: 'f', validData })));
  assert.equal(isAllNull(header([false, false])), true);
  assert.equal(isAllNull(header([false, true])), false);
  assert.equal(isAllNull(header([])), false);
});

const instants = fieldOf(DataType.Timestamptz, { nullable: true });

test('instants come as texts, in the zone of the collection where they name none, or as numbers', () => {
  const texts = ['2025-01-01T00:00:00Z', '2025-01-01T09:00:00', '2025-07-01 00:00:00.5-04:00'];
  const bytes = encode('schema.FieldData', { fieldName: 'f', scalars: { stringData: { data: texts } } });
  const column = read(bytes, instants, 3, { timeZone: 'Asia/Tokyo' });
  assert.ok(column.dataType === DataType.Timestamptz);
  const written = runAtOnce(writeInstants(column, 'America/New_York'));
  const shown = Array.from({ length: 3 }, (_, row) =>
    Buffer.from(written.bytes.subarray(written.offsets[row], written.offsets[row + 1])).toString(),
  );
  const newYear = '2024-12-31T19:00:00-05:00';
  assert.deepEqual(shown, [newYear, newYear, '2025-07-01T00:00:00.5-04:00']);
  const numbers = encode('schema.FieldData', {
    fieldName: 'f',
    validData: [true, false],
    scalars: { timestamptzData: { data: [-1n] } },
  });
  const again = read(numbers, instants, 2);
  assert.ok(again.dataType === DataType.Timestamptz);
  assert.deepEqual(
    [[...again.values], [...again.validity!]],
    [
      [-1n, 0n],
      [1, 0],
    ],
  );
});
