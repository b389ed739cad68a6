import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { FormatError } from '../byte-source.ts';
import { inflateSnappy } from './snappy.ts';

describe('Snappy', () => {
  it('gives back what was put in, repeated or not', () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(400))
        .map(([unit, times]) =>
          Uint8Array.from({ length: unit.length * times }, (_, at) => unit[at % unit.length]!),
        ),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const bytes = Buffer.concat(parts);
        assert.deepEqual(
          Buffer.from(inflateSnappy(snappyCompress(bytes), new Uint8Array(bytes.length))),
          bytes,
        );
      }),
    );
  });

  it('takes every form that an element has', () => {
    const letters = (text: string) => [...Buffer.from(text)];
    const long = 'x'.repeat(70);
    for (const [elements, text] of [
      [[0b000010_00, ...letters('abc')], 'abc'],
      // 11 bits of distance, 16 and 32; each overlaps itself.
      [[0b000001_00, ...letters('ab'), 0b000_010_01, 2], 'abababab'],
      [[0b000001_00, ...letters('ab'), 0b000101_10, 2, 0], 'abababab'],
      [[0b000001_00, ...letters('ab'), 0b000101_11, 2, 0, 0, 0], 'abababab'],
      [[60 << 2, 69, ...letters(long)], long],
      [[63 << 2, 69, 0, 0, 0, ...letters(long)], long],
    ] as const) {
      const inflated = inflateSnappy(Uint8Array.of(text.length, ...elements), new Uint8Array(text.length));
      assert.equal(Buffer.from(inflated).toString(), text);
    }
  });

  it('that is damaged is an error', () => {
    for (const [what, elements, length] of [
      ['a literal that ends early', [0b000010_00, 97], 3],
      ['a literal whose size is cut', [61 << 2, 1], 3],
      ['a literal longer than the page', [0b000010_00, 97, 98, 99], 2],
      ['a copy of nothing', [0b000_000_01, 1], 4],
      ['a distance of zero', [0b000000_00, 97, 0b000_000_01, 0], 5],
      ['a copy longer than the page', [0b000000_00, 97, 0b000_111_01, 1], 5],
      ['a distance that is cut', [0b000000_00, 97, 0b000101_10, 1], 7],
      ['fewer bytes than there should be', [0b000000_00, 97], 2],
      ['nothing', [], 2],
    ] as const)
      assert.throws(
        () => inflateSnappy(Uint8Array.of(length, ...elements), new Uint8Array(length)),
        FormatError,
        what,
      );
  });
});
