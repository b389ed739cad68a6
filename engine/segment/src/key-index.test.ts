import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataType, type KeyColumn, type VarCharColumn } from '@elanus/model';
import { seededRandom } from '@elanus/runtime';
import { type KeyIndex, type KeyReader, NO_ROW } from './key-index.ts';
import { openKeyIndex } from './open-key-index.ts';
import { keyColumn, type TestKey } from './testing/index.ts';

/** Rows in one column, location = row. */
class OneColumn implements KeyReader {
  texts: VarCharColumn | null = null;

  isTextAt(location: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { offsets, bytes: own } = this.texts!;
    const text = own.subarray(offsets[location], offsets[location + 1]);
    return Buffer.compare(text, bytes.subarray(start, end)) === 0;
  }
}

/** A column of keys, and an empty index that reads them there. */
function openFor(
  values: readonly TestKey[],
  type: KeyColumn['dataType'],
  seed: number,
): { keys: KeyColumn; index: KeyIndex } {
  const keys = keyColumn(values, type);
  const reader = new OneColumn();
  if (keys.dataType === DataType.VarChar) reader.texts = keys;
  return { keys, index: openKeyIndex(type, reader, seed) };
}

function put(index: KeyIndex, keys: KeyColumn, start: number, end: number): number[] {
  const replaced = new Uint32Array(end - start);
  index.put(keys, start, end, start, replaced);
  return [...replaced];
}

const KEYS: readonly { name: string; type: KeyColumn['dataType']; key: (n: number) => TestKey }[] = [
  { name: 'int64', type: DataType.Int64, key: (n) => BigInt(n) * 0x1_0000_0001n - 0x4000_0000_0000n },
  { name: 'sequential int64', type: DataType.Int64, key: (n) => BigInt(n) },
  { name: 'every eighth int64', type: DataType.Int64, key: (n) => BigInt(8 * n - 100_000) },
  { name: 'text', type: DataType.VarChar, key: (n) => `key-${n.toString(36)}` },
];

for (const { name, type, key } of KEYS) {
  describe(`the index of ${name} keys`, () => {
    it('finds every key it was given, through all splits, and no other', () => {
      const count = 40_000;
      const { keys, index } = openFor(
        Array.from({ length: count }, (_, n) => key(n)),
        type,
        7,
      );
      for (let start = 0; start < count; start += 1000)
        assert.ok(put(index, keys, start, start + 1000).every((location) => location === NO_ROW));
      assert.equal(index.size, count);
      for (let row = 0; row < count; row++) assert.equal(index.find(keys, row), row);
      const others = keyColumn([key(count), key(count + 5)], type);
      assert.equal(index.find(others, 0), NO_ROW);
      assert.equal(index.find(others, 1), NO_ROW);
    });

    it('agrees with a Map on random puts and moves', () => {
      const seed = 20_261_121;
      const random = seededRandom(seed);
      const count = 20_000;
      const numbers = Array.from({ length: count }, () => random.below(3_000));
      const { keys, index } = openFor(numbers.map(key), type, seed);
      const model = new Map<number, number>();
      for (let start = 0; start < count; ) {
        const end = Math.min(count, start + 1 + random.below(200));
        const expected: number[] = [];
        for (let row = start; row < end; row++) {
          expected.push(model.get(numbers[row]!) ?? NO_ROW);
          model.set(numbers[row]!, row);
        }
        assert.deepEqual(put(index, keys, start, end), expected);
        for (let i = 0; i < 50; i++) {
          const row = random.below(end);
          const at = model.get(numbers[row]!) ?? NO_ROW;
          index.move(keys, row, row, NO_ROW);
          if (at === row) model.delete(numbers[row]!);
        }
        start = end;
      }
      assert.equal(index.size, model.size, `seed ${seed}`);
      for (let row = 0; row < count; row++)
        assert.equal(index.find(keys, row), model.get(numbers[row]!) ?? NO_ROW, `seed ${seed}, row ${row}`);
    });

    it('stays small while it holds little', () => {
      const { keys, index } = openFor([key(1), key(2)], type, 1);
      put(index, keys, 0, 2);
      assert.ok(index.byteLength < 1024);
    });

    it('is small again when its keys have left, all or nearly all of them', () => {
      const count = 40_000;
      const { keys, index } = openFor(
        Array.from({ length: count }, (_, n) => key(n)),
        type,
        7,
      );
      put(index, keys, 0, count);
      const full = index.byteLength;
      for (let row = 3; row < count; row++) index.move(keys, row, row, NO_ROW);
      assert.ok(index.byteLength < full / 8);
      assert.deepEqual(
        [0, 1, 2, 3, count - 1].map((row) => index.find(keys, row)),
        [0, 1, 2, NO_ROW, NO_ROW],
      );
      for (let row = 0; row < 3; row++) index.move(keys, row, row, NO_ROW);
      assert.ok(index.byteLength < 1024);
      assert.equal(index.find(keys, 1), NO_ROW);
      assert.ok(put(index, keys, 0, count).every((location) => location === NO_ROW));
      assert.equal(index.find(keys, count - 1), count - 1);
      assert.equal(index.byteLength, full);
    });
  });
}
