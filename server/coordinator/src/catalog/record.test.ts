import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeRecord, encodeRecord, RecordDamage, RecordTooNew } from './record.ts';

test('a record reads back as it was written, int64 exact', () => {
  const record = decodeRecord(encodeRecord({ id: '9223372036854775807', name: 'größe', list: ['1'] }));
  assert.equal(record.int64('id'), 9_223_372_036_854_775_807n);
  assert.equal(record.text('name'), 'größe');
  assert.deepEqual(record.int64s('list'), [1n]);
});

test('every flipped byte is noticed', () => {
  const bytes = encodeRecord({ id: '1', name: 'kite' });
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = bytes.slice();
    damaged[at]! ^= 0x01;
    assert.throws(
      () => decodeRecord(damaged),
      (error) => error instanceof RecordDamage || error instanceof RecordTooNew,
      `byte ${at}`,
    );
  }
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(() => decodeRecord(bytes.subarray(0, length)), RecordDamage, `length ${length}`);
  }
});

test('a member of another kind is damage, not a crash', () => {
  const record = decodeRecord(encodeRecord({ id: 7, list: [null], object: [] }));
  assert.throws(() => record.int64('id'), RecordDamage);
  assert.throws(() => record.text('missing'), RecordDamage);
  assert.throws(() => record.texts('list'), RecordDamage);
  assert.throws(() => record.object('object'), RecordDamage);
});

test('a newer version is refused by name', () => {
  const newer = Buffer.from('v5 00000000\n{}');
  assert.throws(() => decodeRecord(newer), /version 5 is newer than 4/);
});
