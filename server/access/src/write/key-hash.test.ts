import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { DataType } from '@elanus/model';
import { runAtOnce } from '../rows/sliced-work.ts';
import { bucketsOf, murmur3 } from './key-hash.ts';

test('murmur3 of eight bytes has its published values', () => {
  // From the algorithm's reference: eight zero bytes, and the bytes of "abcdefgh".
  assert.equal(murmur3(0, 0), 0x63852afc);
  const text = Buffer.from('abcdefgh');
  assert.equal(murmur3(text.readInt32LE(0), text.readInt32LE(4)), 0x49ddccc4);
});

test('texts go by the CRC-32 of their first hundred bytes', () => {
  const texts = ['', 'a', 'größer', 'x'.repeat(100), `${'x'.repeat(100)}y`].map((each) => Buffer.from(each));
  const offsets = new Uint32Array(texts.length + 1);
  for (const [at, text] of texts.entries()) offsets[at + 1] = offsets[at]! + text.length;
  const bytes = Buffer.concat(texts);
  const keys = { dataType: DataType.VarChar, length: texts.length, validity: null, offsets, bytes } as const;
  assert.deepEqual(
    [...runAtOnce(bucketsOf(keys, 1_000))],
    texts.map((text) => crc32(text.subarray(0, 100)) % 1_000),
  );
});

test('integer keys spread over the buckets', () => {
  const values = BigInt64Array.from({ length: 8_000 }, (_, at) => BigInt(at) - 4_000n);
  const keys = { dataType: DataType.Int64, length: values.length, validity: null, values } as const;
  const counts = new Array(8).fill(0);
  for (const bucket of runAtOnce(bucketsOf(keys, 8))) counts[bucket] += 1;
  for (const count of counts) assert.ok(count > 800 && count < 1_200, counts.join());
});
