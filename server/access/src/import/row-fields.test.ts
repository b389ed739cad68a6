import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataType } from '@elanus/model';
import { decode, encode } from '@elanus/proto';
import { CsvReader, jsonRowReader } from './row-fields.ts';

const schema = decode(
  'schema.CollectionSchema',
  encode('schema.CollectionSchema', {
    fields: [
      { name: 'id', dataType: DataType.Int64, isPrimaryKey: true },
      { name: 'flag', dataType: DataType.Bool },
      { name: 'weight', dataType: DataType.Double, nullable: true },
      { name: 'name', dataType: DataType.VarChar, nullable: true },
      { name: 'v', dataType: DataType.FloatVector },
      { name: 'half', dataType: DataType.Float16Vector, typeParams: [{ key: 'dim', value: '2' }] },
    ],
  }),
);
const cells = (...texts: string[]) => texts.map((text) => ({ text, isQuoted: false }));
const plain = (row: object) => ({ ...row });
const jsonRow = jsonRowReader(schema);

describe('a record of CSV', () => {
  const header = ['id', 'flag', 'weight', 'name', 'v', 'colour'];

  it('is a row by the types of its fields, int64 to the last digit', () => {
    const reader = new CsvReader(schema, { header, nullText: '' });
    const row = reader.row(cells('9223372036854775807', 'TRUE', '1e-3', 'a', '[1, 2.5]', 'red'));
    assert.deepEqual(plain(row), {
      id: 9223372036854775807n,
      flag: true,
      weight: 0.001,
      name: 'a',
      v: [1, 2.5],
      colour: 'red',
    });
  });

  it('leaves out what is null, but not a text that is quoted and empty', () => {
    const reader = new CsvReader(schema, { header: ['id', 'weight', 'name'], nullText: '' });
    assert.deepEqual(plain(reader.row(cells('1', '', ''))), { id: 1n });
    const quoted = [...cells('1', '2'), { text: '', isQuoted: true }];
    assert.deepEqual(plain(reader.row(quoted)), { id: 1n, weight: 2, name: '' });
  });

  for (const [name, text] of Object.entries({ id: '1.5', flag: 'yes', weight: 'much', v: '[1,' }))
    it(`is refused when ${name} is ${text}`, () => {
      const reader = new CsvReader(schema, { header: [name], nullText: '' });
      assert.throws(() => reader.row(cells(text)), /fail to deal the insert data/);
    });

  it('is refused when it has more or fewer values than the header', () => {
    const reader = new CsvReader(schema, { header: ['id'], nullText: '' });
    assert.throws(() => reader.row(cells('1', '2')), /2 values, the header 1/);
    assert.throws(() => new CsvReader(schema, { header: ['id', 'id'], nullText: '' }), /twice/);
  });
});

describe('a half vector', () => {
  const csv = new CsvReader(schema, { header: ['half'], nullText: '' });
  for (const [text, half] of [
    ['[0,60,0,56]', 'ADwAOA=='],
    ['[1,0.5]', [1, 0.5]],
    ['[0,60,0,256]', [0, 60, 0, 256]],
    ['[0,60,0,-1]', [0, 60, 0, -1]],
    ['[0,60,0,0.5]', [0, 60, 0, 0.5]],
  ] as const)
    it(`is its numbers or, twice as many, its bytes: ${text}`, () => {
      assert.deepEqual(plain(jsonRow(Buffer.from(`{"half":${text}}`))), { half });
      assert.deepEqual(plain(csv.row(cells(text))), { half });
    });
});

describe('a row of JSON', () => {
  it('has what is under $meta among its other keys', () => {
    for (const meta of ['{"b":2}', '"{\\"b\\":2}"'])
      assert.deepEqual(plain(jsonRow(Buffer.from(`{"a":1,"$meta":${meta}}`))), { a: 1, b: 2 });
  });

  for (const text of ['[]', '{"a":1,"$meta":{"a":2}}', '{"$meta":3}', '{'])
    it(`is refused: ${text}`, () => {
      assert.throws(() => jsonRow(Buffer.from(text)), /fail to deal the insert data/);
    });
});
