import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hashTexts, minHash } from './min-hash.ts';

function hashesOf(texts: readonly string[]): BigUint64Array {
  const bytes = Buffer.from(texts.join(''));
  const starts = new Uint32Array(texts.length);
  const ends = new Uint32Array(texts.length);
  let at = 0;
  for (const [i, text] of texts.entries()) {
    starts[i] = at;
    at += Buffer.byteLength(text);
    ends[i] = at;
  }
  const hashes = new BigUint64Array(texts.length);
  hashTexts(bytes, starts, ends, hashes);
  return hashes;
}

/** The specification of XXH64, said in whole integers; the seed is 0. */
function hashSlowly(bytes: Uint8Array): bigint {
  const [p1, p2, p3, p4, p5] = [
    11400714785074694791n,
    14029467366897019727n,
    1609587929392839161n,
    9650029242287828579n,
    2870177450012600261n,
  ] as const;
  const u = (value: bigint): bigint => BigInt.asUintN(64, value);
  const turn = (value: bigint, bits: bigint): bigint => u(value << bits) | (value >> (64n - bits));
  const round = (lane: bigint, word: bigint): bigint => u(turn(u(lane + word * p2), 31n) * p1);
  const view = Buffer.from(bytes);
  let at = 0;
  let hash: bigint = p5;
  if (bytes.length >= 32) {
    const lanes = [u(p1 + p2), p2, 0n, u(-p1)];
    for (; at + 32 <= bytes.length; at += 32)
      for (let lane = 0; lane < 4; lane++)
        lanes[lane] = round(lanes[lane]!, view.readBigUInt64LE(at + 8 * lane));
    hash = u([1n, 7n, 12n, 18n].reduce((sum, bits, lane) => sum + turn(lanes[lane]!, bits), 0n));
    for (const lane of lanes) hash = u((hash ^ round(0n, lane)) * p1 + p4);
  }
  hash = u(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8)
    hash = u(turn(hash ^ round(0n, view.readBigUInt64LE(at)), 27n) * p1 + p4);
  if (at + 4 <= bytes.length) {
    hash = u(turn(hash ^ u(BigInt(view.readUInt32LE(at)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = u(turn(hash ^ u(BigInt(view[at]!) * p5), 11n) * p1);
  hash = u((hash ^ (hash >> 33n)) * p2);
  hash = u((hash ^ (hash >> 29n)) * p3);
  return hash ^ (hash >> 32n);
}

describe('hashes of texts', () => {
  // Published values of XXH64 with the seed 0.
  const known: readonly [string, bigint][] = [
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ];
  for (const [text, hash] of known)
    test(`"${text}" has the hash of the standard`, () => assert.equal(hashesOf([text])[0], hash));

  test('any bytes have the hash that the specification says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const hashes = new BigUint64Array(1);
        hashTexts(bytes, Uint32Array.of(0), Uint32Array.of(bytes.length), hashes);
        assert.equal(hashes[0], hashSlowly(bytes));
      }),
    );
  });

  test('all lengths up to several stripes have different hashes', () => {
    const texts = Array.from({ length: 100 }, (_, length) => 'x'.repeat(length));
    assert.equal(new Set(hashesOf(texts)).size, 100);
  });

  test('a text beyond the bytes is refused', () => {
    const out = new BigUint64Array(1);
    assert.throws(() => hashTexts(new Uint8Array(3), Uint32Array.of(0), Uint32Array.of(4), out));
    assert.throws(() => hashTexts(new Uint8Array(3), Uint32Array.of(2), Uint32Array.of(1), out));
    assert.throws(() => hashTexts(new Uint8Array(3), new Uint32Array(), Uint32Array.of(1), out), RangeError);
  });
});

describe('signatures', () => {
  const signatureOf = (numbers: readonly number[], size: number, seed = 1234n): Uint32Array => {
    const signature = new Uint32Array(size).fill(0xffffffff);
    minHash(hashesOf(numbers.map(String)), seed, signature);
    return signature;
  };
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

  test('agree in about as many places as their sets have in common', () => {
    const size = 4096;
    for (const common of [0, 25, 50, 80, 100]) {
      const one = signatureOf(range(0, 100), size);
      const other = signatureOf(range(100 - common, 200 - common), size);
      const equal = one.filter((number, at) => number === other[at]).length / size;
      const wanted = common / (200 - common);
      // Four standard deviations of so many throws, and what the permutations lack of being independent.
      const error = 4 * Math.sqrt((wanted * (1 - wanted)) / size) + 0.02;
      assert.ok(Math.abs(equal - wanted) <= error, `${equal} is not ${wanted}`);
    }
  });

  test('do not depend on the order or on how a set is cut', () => {
    const whole = signatureOf(range(0, 50), 33);
    assert.deepEqual(signatureOf(range(0, 50).reverse(), 33), whole);
    const parts = new Uint32Array(33).fill(0xffffffff);
    for (let from = 0; from < 50; from += 7)
      minHash(hashesOf(range(from, Math.min(from + 7, 50)).map(String)), 1234n, parts);
    assert.deepEqual(parts, whole);
  });

  test('are others with another seed, and stay what they are', () => {
    assert.notDeepEqual(signatureOf([1, 2, 3], 4, 1n), signatureOf([1, 2, 3], 4, 2n));
    assert.deepEqual(signatureOf([1, 2, 3], 4, -1n), signatureOf([1, 2, 3], 4, 2n ** 64n - 1n));
    assert.deepEqual([...signatureOf([1, 2, 3], 3)], KEPT);
  });
});

/** What rows on disk were made with. */
const KEPT: readonly number[] = [898295382, 54319062, 28740073];
