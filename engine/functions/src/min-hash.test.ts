import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataType } from '@elanus/model';
import fc from 'fast-check';
import { type MinHashOptions, minHashVectors, readMinHashOptions } from './min-hash.ts';
import { openAnalyzer } from './open-analyzer.ts';
import { runAtOnce } from './work.ts';

const USUAL: MinHashOptions = {
  hashes: 256,
  shingleSize: 3,
  tokenLevel: 'word',
  hashFunction: 'xxhash64',
  seed: 1234n,
};
const analyzer = await openAnalyzer('');

function vectorsOf(texts: readonly (string | null)[], options: Partial<MinHashOptions> = {}): Uint32Array[] {
  const encoded = texts.map((text) => Buffer.from(text ?? ''));
  const offsets = new Uint32Array(texts.length + 1);
  for (const [at, { length }] of encoded.entries()) offsets[at + 1] = offsets[at]! + length;
  const validity = Uint8Array.from(texts, (text) => (text === null ? 0 : 1));
  const all = { ...USUAL, ...options };
  const column = runAtOnce(
    minHashVectors(
      { length: texts.length, validity, offsets, bytes: Buffer.concat(encoded) },
      all,
      () => analyzer,
    ),
  );
  assert.equal(column.dataType, DataType.BinaryVector);
  assert.equal(column.dim, 32 * all.hashes);
  return texts.map((_, at) => new Uint32Array(column.bytes.buffer, 4 * at * all.hashes, all.hashes));
}

function equalShare(one: Uint32Array, other: Uint32Array): number {
  return one.filter((number, at) => number === other[at]).length / one.length;
}

const words = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(' ');

describe('vectors of MinHash', () => {
  it('have about as many equal numbers as the texts have shingles in common', () => {
    for (const tokenLevel of ['word', 'char'] as const) {
      for (const hashFunction of ['xxhash64', 'sha1'] as const) {
        const options = {
          tokenLevel,
          hashFunction,
          hashes: 2048,
          shingleSize: tokenLevel === 'word' ? 1 : 5,
        };
        const texts = tokenLevel === 'word' ? [words(0, 100), words(50, 150)] : ['abcdefghij', 'abcdefghiX'];
        const [one, other] = vectorsOf(texts, options);
        const wanted = tokenLevel === 'word' ? 50 / 150 : 5 / 7;
        const share = equalShare(one!, other!);
        assert.ok(
          Math.abs(share - wanted) < 0.06,
          `${tokenLevel} ${hashFunction}: ${share} is not ${wanted}`,
        );
      }
    }
  });

  it('do not see how often a shingle occurs, and see the order of words within it', () => {
    const [one, twice, other] = vectorsOf(['a b a b a b', 'a b a b a b a b', 'b b b a a a'], {
      shingleSize: 2,
    });
    assert.deepEqual(one, twice);
    assert.ok(equalShare(one!, other!) < 0.9);
  });

  it('take words as the analyzer leaves them, and characters as they are', () => {
    const [one, other] = vectorsOf(['Ein kleiner Text', 'ein KLEINER, text!']);
    assert.deepEqual(one, other);
    const [small, large] = vectorsOf(['text', 'TEXT'], { tokenLevel: 'char' });
    assert.notDeepEqual(small, large);
  });

  it('are of the whole text where it is shorter than a shingle, and of ones where it has no token', () => {
    const [short, same, none, nothing] = vectorsOf(['two words', 'two, words', '', null]);
    assert.deepEqual(short, same);
    for (const vector of [none!, nothing!]) assert.ok(vector.every((number) => number === 0xffffffff));
    assert.notDeepEqual(short, none);
  });

  it('count characters, not bytes', () => {
    const [one, other] = vectorsOf(['äöü', 'äöüß'], { tokenLevel: 'char', shingleSize: 3, hashes: 512 });
    // One shingle of two.
    assert.ok(Math.abs(equalShare(one!, other!) - 0.5) < 0.15);
  });

  it('are the same however the texts come together', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom('word' as const, 'char' as const),
        (texts, shingleSize, tokenLevel) => {
          const options = { shingleSize, tokenLevel, hashes: 8 };
          const together = vectorsOf(texts, options);
          for (const [at, text] of texts.entries())
            assert.deepEqual(together[at], vectorsOf([text], options)[0]);
        },
      ),
    );
  });

  it('yield while a text is long', () => {
    const text = Buffer.from(words(0, 6000));
    const texts = { length: 1, validity: null, offsets: Uint32Array.of(0, text.length), bytes: text };
    const work = minHashVectors(texts, { ...USUAL, hashes: 1024 }, () => analyzer);
    let steps = 0;
    while (!work.next().done) steps++;
    assert.ok(steps > 10, `${steps}`);
  });

  it('are not made where they would take all the memory', () => {
    const length = 100_000;
    const texts = { length, validity: null, offsets: new Uint32Array(length + 1), bytes: new Uint8Array() };
    assert.throws(
      () => runAtOnce(minHashVectors(texts, { ...USUAL, hashes: 8192 }, () => analyzer)),
      /send fewer/,
    );
  });
});

describe('parameters of MinHash', () => {
  const read = (params: Record<string, string>, dim = 128): MinHashOptions =>
    readMinHashOptions(
      Object.entries(params).map(([key, value]) => ({ key, value })),
      { name: 'sig', dim },
    );

  it('have defaults, and know their values in any case', () => {
    assert.deepEqual(read({}), { ...USUAL, hashes: 4 });
    assert.deepEqual(
      read({ NUM_HASHES: '4', shingle_size: '5', token_level: 'CHAR', hash_function: 'SHA1', seed: '-7' }),
      { hashes: 4, shingleSize: 5, tokenLevel: 'char', hashFunction: 'sha1', seed: -7n },
    );
    assert.equal(read({ hash_function: 'xxhash' }).hashFunction, 'xxhash64');
    assert.equal(read({ token_level: 'character' }).tokenLevel, 'char');
  });

  const refusals: readonly [Record<string, string>, string, number?][] = [
    [{ num_hashes: 'many' }, 'param num_hashes:many is not a number'],
    [{ num_hashes: '0' }, 'param num_hashes:0 must be positive'],
    [{ shingle_size: '-1' }, 'param shingle_size:-1 must be positive'],
    [{ shingle_size: '1.5' }, 'param shingle_size:1.5 is not a number'],
    [{ seed: '' }, 'param seed: is not a number'],
    [{ seed: '9223372036854775808' }, 'param seed:9223372036854775808 is not a number'],
    [{ hash_function: 'md5' }, "unknown hash function: md5 (expected 'xxhash64' or 'sha1')"],
    [{ token_level: 'line' }, "unknown token_level: line (expected 'char' or 'word')"],
    [
      { num_hashes: '8' },
      "minhash function output field 'sig' dim 128 does not match expected dim 256 (numHashes 8 * one minhash signature size of 32bit)",
    ],
    [
      {},
      "minhash function output field 'sig' dim 136 is not multiple of 32 (one minhash signature size)",
      136,
    ],
  ];
  for (const [params, text, dim] of refusals)
    it(`are refused: ${text}`, () =>
      assert.throws(
        () => read(params, dim),
        (error: Error) => error.message.startsWith(text),
      ));
});
