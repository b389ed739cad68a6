import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataType } from '@elanus/model';
import {
  type Draft,
  decode,
  encode,
  type schema_CollectionSchema,
  type schema_FieldSchema,
} from '@elanus/proto';
import fc from 'fast-check';
import { runAtOnce } from '../rows/sliced-work.ts';
import { type Json, readJson } from './json-reader.ts';
import { type JsonOut, jsonPieces, shortestDouble } from './json-text.ts';
import { sentFields } from './sent-fields.ts';
import { decodedColumns, shownRows } from './shown-rows.ts';

const DIM = 8;
const KEY = 'key';

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n),
);
/** As they are shown: many doubles are the same float32. */
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => shortestDouble(value + 0));
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const intOf = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const rawBytes = (length: number) =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => Buffer.from(bytes).toString('base64'));
const floats = fc.array(float32, { minLength: DIM, maxLength: DIM });
const sparse = fc.dictionary(fc.nat({ max: 2 ** 32 - 2 }).map(String), float32, { maxKeys: 6 });
/** Shown as the JSON text that is stored. */
const json = fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null && typeof value !== 'string');

interface Case {
  readonly field: Draft<schema_FieldSchema>;
  readonly value: fc.Arbitrary<unknown>;
}

const ofType = (name: string, dataType: number, value: fc.Arbitrary<unknown>, more = {}): Case => ({
  field: {
    name,
    dataType,
    nullable: true,
    typeParams: [{ key: 'dim', value: String(DIM) }],
    ...more,
  },
  value,
});
const arrayOf = (name: string, elementType: number, element: fc.Arbitrary<unknown>): Case =>
  ofType(name, DataType.Array, fc.array(element, { maxLength: 4 }), { elementType });

const CASES: readonly Case[] = [
  ofType('bool', DataType.Bool, fc.boolean()),
  ofType('int8', DataType.Int8, intOf(8)),
  ofType('int16', DataType.Int16, intOf(16)),
  ofType('int32', DataType.Int32, intOf(32)),
  ofType('int64', DataType.Int64, int64),
  ofType('float', DataType.Float, float32),
  ofType('double', DataType.Double, double),
  ofType('text', DataType.VarChar, text),
  ofType('json', DataType.JSON, json),
  arrayOf('bools', DataType.Bool, fc.boolean()),
  arrayOf('int16s', DataType.Int16, intOf(16)),
  arrayOf('int64s', DataType.Int64, int64),
  arrayOf('floats', DataType.Float, float32),
  arrayOf('doubles', DataType.Double, double),
  arrayOf('texts', DataType.VarChar, text),
  ofType('dense', DataType.FloatVector, floats),
  ofType('binary', DataType.BinaryVector, rawBytes(DIM / 8)),
  ofType('float16', DataType.Float16Vector, rawBytes(2 * DIM)),
  ofType('bfloat16', DataType.BFloat16Vector, rawBytes(2 * DIM)),
  ofType('small', DataType.Int8Vector, rawBytes(DIM)),
  ofType('sparse', DataType.SparseFloatVector, sparse),
];
const PARTS = [
  arrayOf('sizes', DataType.Int64, int64),
  ofType('spots', DataType.ArrayOfVector, floats, { elementType: DataType.FloatVector }),
];

const SCHEMA = decode(
  'schema.CollectionSchema',
  encode('schema.CollectionSchema', {
    enableDynamicField: true,
    fields: [{ name: KEY, dataType: DataType.Int64, isPrimaryKey: true }, ...CASES.map(({ field }) => field)],
    structArrayFields: [{ name: 'parts', nullable: true, fields: PARTS.map(({ field }) => field) }],
  }),
);

const part = fc.record({ sizes: int64, spots: floats });
const known = Object.fromEntries(CASES.map(({ field, value }) => [field.name!, fc.option(value)]));
const dynamic = fc.dictionary(
  fc.constantFrom('colour', 'größe', 'n'),
  fc.oneof(text, int64, fc.constant(null)),
);
const row = fc
  .tuple(fc.record({ [KEY]: int64, ...known, parts: fc.option(fc.array(part, { maxLength: 3 })) }), dynamic)
  .map(([fields, extra]) => ({ ...fields, ...extra }) as Record<string, Json>);

/** Through the text of a request and of an answer, as a client has it. */
function throughJson(value: JsonOut): Json {
  return runAtOnce(readJson(Buffer.from(runAtOnce(jsonPieces(value, 'number')).join(''))));
}

function sentAndShown(rows: readonly Record<string, Json>[], schema: schema_CollectionSchema): Json {
  const sent = throughJson(rows) as readonly Json[];
  const { fieldsData, numRows } = runAtOnce(sentFields(sent, schema, { isPartial: false }));
  assert.equal(numRows, rows.length);
  return throughJson(runAtOnce(shownRows(decodedColumns(fieldsData), numRows, ['*'])));
}

test('rows of every type come back as they were sent', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
      const wanted = rows.map((each) => ({
        ...each,
        json: each.json === null ? null : runAtOnce(jsonPieces(each.json!, 'number')).join(''),
      }));
      assert.deepEqual(sentAndShown(rows, SCHEMA), throughJson(wanted));
    }),
  );
});

test('half floats are rounded to the nearest, ties to even', () => {
  const fields = [
    { name: 'half', dataType: DataType.Float16Vector, typeParams: [{ key: 'dim', value: '4' }] },
    { name: 'brain', dataType: DataType.BFloat16Vector, typeParams: [{ key: 'dim', value: '4' }] },
  ];
  const schema = decode('schema.CollectionSchema', encode('schema.CollectionSchema', { fields }));
  const [shown] = sentAndShown(
    [{ half: [1, -2, 1 / 3, 65504], brain: [1, -2, 1.00390625, 1.01171875] }],
    schema,
  ) as unknown as { half: string; brain: string }[];
  const wordsOf = (base64: string) => {
    const bytes = Buffer.from(base64, 'base64');
    return [0, 2, 4, 6].map((at) => bytes.readUInt16LE(at));
  };
  assert.deepEqual(wordsOf(shown!.half), [0x3c00, 0xc000, 0x3555, 0x7bff]);
  assert.deepEqual(wordsOf(shown!.brain), [0x3f80, 0xc000, 0x3f80, 0x3f82]);
});
