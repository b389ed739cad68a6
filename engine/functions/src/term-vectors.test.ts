import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { openAnalyzer } from './open-analyzer.ts';
import { type Texts, termDimension, termVectors } from './term-vectors.ts';
import { runAtOnce } from './work.ts';

function texts(...rows: readonly (string | null)[]): Texts {
  const parts = rows.map((row) => Buffer.from(row ?? ''));
  const offsets = new Uint32Array(rows.length + 1);
  for (const [at, { length }] of parts.entries()) offsets[at + 1] = offsets[at]! + length;
  return {
    length: rows.length,
    validity: Uint8Array.from(rows, (row) => (row === null ? 0 : 1)),
    offsets,
    bytes: Buffer.concat(parts),
  };
}

test('the dimension of a word is the CRC-32 of its UTF-8 text', () => {
  for (const word of ['', 'a', 'dogs', 'é', '数据库', 'naïve', 'x'.repeat(1000), '🌹'])
    assert.equal(termDimension(word), crc32(word), word);
});

test('counts the words of each text at their dimensions, in ascending order', async () => {
  const analyzer = await openAnalyzer('');
  const { length, offsets, bytes } = runAtOnce(
    termVectors(texts('fox Fox dog', null, '', '...', 'dog'), () => analyzer),
  );
  assert.equal(length, 5);
  const [fox, dog] = [termDimension('fox'), termDimension('dog')];
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const pairs = Array.from({ length: words.length / 2 }, (_, at) => [words[2 * at]!, floats[2 * at + 1]!]);
  const counted = [
    [fox, 2],
    [dog, 1],
  ].sort((a, b) => a[0]! - b[0]!);
  assert.deepEqual(pairs, [...counted, [dog, 1]]);
  assert.deepEqual([...offsets], [0, 16, 16, 16, 16, 24]);
});

test('asks for the analyzer of each row that has a text', async () => {
  const [standard, english] = await Promise.all([openAnalyzer(''), openAnalyzer('{"type":"english"}')]);
  const asked: number[] = [];
  const { bytes } = runAtOnce(
    termVectors(texts('dogs', null, 'dogs'), (row) => {
      asked.push(row);
      return row === 0 ? standard : english;
    }),
  );
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  assert.deepEqual(asked, [0, 2]);
  assert.deepEqual([words[0], words[2]], [termDimension('dogs'), termDimension('dog')]);
});

test('yields between texts and within long ones', async () => {
  const analyzer = await openAnalyzer('');
  const many = texts(...Array.from({ length: 1000 }, () => 'some words of a text'));
  const long = texts('word '.repeat(20_000));
  for (const given of [many, long]) assert([...termVectors(given, () => analyzer)].length >= 10);
});
