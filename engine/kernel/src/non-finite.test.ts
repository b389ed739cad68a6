import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FloatKind, findNonFinite } from './non-finite.ts';

type Floats = { readonly buffer: ArrayBufferLike; readonly [index: number]: number };

/** The same bytes at an address that no float may begin at. */
function misaligned(values: Floats): Uint8Array {
  const bytes = new Uint8Array(values.buffer);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  return shifted.subarray(1);
}

const formats: Readonly<Record<FloatKind, (values: number[]) => Floats>> = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  float16: (values) => Float16Array.from(values),
  bfloat16: (values) => {
    const words = new Uint32Array(Float32Array.from(values).buffer);
    return Uint16Array.from(words, (word) => word >>> 16);
  },
};

for (const [kind, from] of Object.entries(formats)) {
  test(`finds the first ${kind} that is NaN or infinite, wherever the bytes begin`, () => {
    const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    const finite = fc.constantFrom(0, -0, 1, -1.5, 65_504, -65_504, 5e-7);
    const value = fc.oneof({ weight: 20, arbitrary: finite }, { weight: 1, arbitrary: odd });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const expected = values.findIndex((each) => !Number.isFinite(each));
        assert.equal(findNonFinite(misaligned(from(values)), kind as FloatKind), expected);
      }),
    );
  });
}

test('finds one among many, and takes the largest numbers for what they are', () => {
  const numbers = new Float32Array(100_000).fill(-3.4028234663852886e38);
  const bytes = new Uint8Array(numbers.buffer);
  assert.equal(findNonFinite(bytes, 'float32'), -1);
  for (const place of [99_999, 50_000, 4_096, 4_095, 0]) {
    numbers[place] = place % 2 === 0 ? Number.NaN : Number.NEGATIVE_INFINITY;
    assert.equal(findNonFinite(bytes, 'float32'), place);
  }
});
