import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  firstNonFiniteBFloat16,
  firstNonFiniteFloat16,
  firstNonFiniteFloat32,
  firstNonFiniteFloat64,
} from './vector-checks.ts';

type Floats = { readonly buffer: ArrayBufferLike; readonly [index: number]: number };

/** The same bytes at an address that no float may begin at. */
function misaligned(values: Floats): Uint8Array {
  const bytes = new Uint8Array(values.buffer);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  return shifted.subarray(1);
}

const formats: readonly {
  readonly name: string;
  readonly find: (bytes: Uint8Array) => number;
  readonly from: (values: number[]) => Floats;
}[] = [
  { name: 'float32', find: firstNonFiniteFloat32, from: (values) => Float32Array.from(values) },
  { name: 'float64', find: firstNonFiniteFloat64, from: (values) => Float64Array.from(values) },
  { name: 'float16', find: firstNonFiniteFloat16, from: (values) => Float16Array.from(values) },
  {
    name: 'bfloat16',
    find: firstNonFiniteBFloat16,
    from: (values) => {
      const words = new Uint32Array(Float32Array.from(values).buffer);
      return Uint16Array.from(words, (word) => word >>> 16);
    },
  },
];

for (const { name, find, from } of formats) {
  test(`finds the first ${name} that is NaN or infinite, wherever the bytes begin`, () => {
    const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    const finite = fc.constantFrom(0, -0, 1, -1.5, 65_504, -65_504, 5e-7);
    const value = fc.oneof({ weight: 20, arbitrary: finite }, { weight: 1, arbitrary: odd });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const expected = values.findIndex((each) => !Number.isFinite(each));
        assert.equal(find(misaligned(from(values))), expected);
      }),
    );
  });
}

test('takes the largest finite float32 for what it is', () => {
  const largest = Float32Array.from({ length: 9 }, () => 3.4028234663852886e38);
  assert.equal(firstNonFiniteFloat32(new Uint8Array(largest.buffer)), -1);
});
