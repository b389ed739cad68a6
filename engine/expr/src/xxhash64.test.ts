import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hashHigh, hashInteger, hashLow, hashText } from './xxhash64.ts';

function lastHash(): string {
  const half = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  return half(hashHigh) + half(hashLow);
}

// Published values of XXH64 with the seed 0.
const KNOWN: readonly (readonly [text: string, hash: string])[] = [
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
];

for (const [text, hash] of KNOWN)
  test(`hashes ${JSON.stringify(text)} as everybody does`, () => {
    const bytes = Buffer.from(`-${text}-`);
    hashText(bytes, 1, bytes.length - 1);
    assert.equal(lastHash(), hash);
  });

/** The specification, said in whole integers. */
function hashSlowly(bytes: Uint8Array): string {
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
  return (hash ^ (hash >> 32n)).toString(16).padStart(16, '0');
}

test('hashes any bytes, and integers as their eight bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      hashText(bytes, 0, bytes.length);
      assert.equal(lastHash(), hashSlowly(bytes));
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (integer) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(integer);
      hashInteger(bytes.readInt32LE(4), bytes.readInt32LE(0));
      assert.equal(lastHash(), hashSlowly(bytes));
    }),
  );
});
