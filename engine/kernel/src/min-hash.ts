/** The arithmetic of MinHash: hashes of texts, and the least of each of many permutations of them. */
import { requireLength } from './checks.ts';
import { loadNative } from './native.ts';
import { KernelError, Status } from './status.ts';

/**
 * Writes the 64-bit xxHash of `bytes[starts[i] .. ends[i])` to `hashes[i]`, for all of `hashes`. Runs on the calling thread.
 * @throws RangeError when there are fewer starts or ends than hashes
 * @throws `KernelError` when a text is not within the bytes
 */
export function hashTexts(
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
  hashes: BigUint64Array,
): void {
  requireLength('starts', starts.length, hashes.length);
  requireLength('ends', ends.length, hashes.length);
  const status = loadNative().hashTexts(bytes, starts, ends, hashes);
  if (status !== Status.Ok) throw new KernelError(status);
}

/**
 * Lowers each number of `signature` to the least that its permutation makes of one of `hashes`. Which permutations there
 * are only `seed` decides: the same on every machine and for ever. About a nanosecond for each hash and number, on the
 * calling thread.
 */
export function minHash(hashes: BigUint64Array, seed: bigint, signature: Uint32Array): void {
  loadNative().minHash(hashes, BigUint64Array.of(BigInt.asUintN(64, seed)), signature);
}
