import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDoubles, decodeFloats } from './packed.ts';

for (const shift of [0, 1, 2, 3, 4, 5, 6, 7]) {
  test(`reads floats and doubles of a Buffer that begin ${shift} bytes off an address of eight`, () => {
    const buffer = Buffer.from(new ArrayBuffer(64));
    buffer.writeFloatLE(1.5, shift);
    buffer.writeFloatLE(-2.5, shift + 4);
    assert.deepEqual([...decodeFloats(buffer.subarray(shift, shift + 8))], [1.5, -2.5]);
    buffer.writeDoubleLE(1 / 3, shift);
    assert.deepEqual([...decodeDoubles(buffer.subarray(shift, shift + 8))], [1 / 3]);
  });
}
