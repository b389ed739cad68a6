import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Draft, encode, type schema_FieldData } from '@elanus/proto';
import { decodedColumns, RowChecksum } from './row-values.ts';

const columns = (...fields: Draft<schema_FieldData>[]) =>
  decodedColumns(fields.map((field) => encode('schema.FieldData', field)));
const ids = (...data: bigint[]): Draft<schema_FieldData> => ({
  fieldName: 'id',
  scalars: { longData: { data } },
});
const texts = (validData: boolean[], ...data: string[]): Draft<schema_FieldData> => ({
  fieldName: 'name',
  validData,
  scalars: { stringData: { data } },
});

function checksumOf(...pages: ReturnType<typeof columns>[]): string {
  const checksum = new RowChecksum();
  for (const page of pages) checksum.add(page);
  return `${checksum.rows} ${checksum.text}`;
}

describe('the checksum of rows', () => {
  it('is the same in any order, in any pages, with columns in any order', () => {
    const whole = checksumOf(columns(ids(1n, 2n), texts([], 'a', 'b')));
    assert.equal(checksumOf(columns(texts([], 'b', 'a'), ids(2n, 1n))), whole);
    assert.equal(checksumOf(columns(ids(2n), texts([], 'b')), columns(ids(1n), texts([], 'a'))), whole);
  });

  it('is another one when a value moves to another row, or there is a row more', () => {
    const whole = checksumOf(columns(ids(1n, 2n), texts([], 'a', 'b')));
    assert.notEqual(checksumOf(columns(ids(1n, 2n), texts([], 'b', 'a'))), whole);
    assert.notEqual(checksumOf(columns(ids(1n, 2n, 2n), texts([], 'a', 'b', 'b'))), whole);
  });

  it('finds nulls whether or not there is a place for them', () => {
    const dense = columns(ids(1n, 2n), texts([false, true], '', 'b'));
    assert.equal(checksumOf(columns(ids(1n, 2n), texts([false, true], 'b'))), checksumOf(dense));
    assert.deepEqual([dense[1]!.valueAt(0), dense[1]!.valueAt(1)], [null, 'b']);
  });

  it('takes JSON for what it says, and no undeclared keys for an empty object', () => {
    const json = (text: string): Draft<schema_FieldData> => ({
      isDynamic: true,
      scalars: { jsonData: { data: [Buffer.from(text)] } },
    });
    assert.equal(
      checksumOf(columns(ids(1n), json('{"a":1,"b":[2]}'))),
      checksumOf(columns(ids(1n), json('{"b": [2], "a": 1}'))),
    );
    assert.equal(checksumOf(columns(ids(1n), json('{}'))), checksumOf(columns(ids(1n))));
  });
});
