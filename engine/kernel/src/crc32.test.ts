import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { crc32 } from './crc32.ts';

test('a checksum is that of zlib, in one piece or two, wherever the bytes begin', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, begin, middle) => {
      const own = bytes.subarray(begin);
      assert.equal(crc32(own), zlib.crc32(own));
      assert.equal(crc32(own.subarray(middle), crc32(own.subarray(0, middle))), zlib.crc32(own));
    }),
  );
});

test('shared memory has one as well', () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(100_001)).fill(7, 3);
  assert.equal(crc32(bytes.subarray(1)), zlib.crc32(Uint8Array.from(bytes.subarray(1))));
});
