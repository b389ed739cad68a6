import { invalidParameter } from '@elanus/model';

const SPARSE_PAIR_BYTES = 8;
const SPARSE_INDEX_MAX = 0xffff_fffe;

/** Position of the first float32 in `bytes` that is NaN or infinite; -1 when there is none. */
export function firstNonFiniteFloat32(bytes: Uint8Array): number {
  // The exponent is all ones. Looking at single bytes needs no alignment, hence no copy.
  const end = bytes.length - (bytes.length % 16);
  for (let at = mayHoldNonFinite(bytes, end) ? 3 : end + 3; at < bytes.length; at += 4) {
    if ((bytes[at]! & 0x7f) === 0x7f && bytes[at - 1]! >= 0x80) return at >>> 2;
  }
  return -1;
}

/**
 * Whether a float32 before `end`, a multiple of 16, has seven leading ones in its exponent: beyond 2^127, which
 * real data never is. Without a branch in the loop this takes half the time of the exact look.
 */
function mayHoldNonFinite(bytes: Uint8Array, end: number): boolean {
  let high = 0;
  for (let at = 3; at < end; at += 16) {
    high |=
      ((bytes[at]! & 0x7f) + 1) |
      ((bytes[at + 4]! & 0x7f) + 1) |
      ((bytes[at + 8]! & 0x7f) + 1) |
      ((bytes[at + 12]! & 0x7f) + 1);
  }
  return (high & 0x80) !== 0;
}

/** Position of the first float64 in `bytes` that is NaN or infinite; -1 when there is none. */
export function firstNonFiniteFloat64(bytes: Uint8Array): number {
  for (let at = 7; at < bytes.length; at += 8) {
    if ((bytes[at]! & 0x7f) === 0x7f && bytes[at - 1]! >= 0xf0) return at >>> 3;
  }
  return -1;
}

export function firstNonFiniteFloat16(bytes: Uint8Array): number {
  for (let at = 1; at < bytes.length; at += 2) if ((bytes[at]! & 0x7c) === 0x7c) return at >>> 1;
  return -1;
}

export function firstNonFiniteBFloat16(bytes: Uint8Array): number {
  for (let at = 1; at < bytes.length; at += 2) {
    if ((bytes[at]! & 0x7f) === 0x7f && bytes[at - 1]! >= 0x80) return at >>> 1;
  }
  return -1;
}

/**
 * Checks one sparse vector: pairs of index and value, indices ascending, values finite.
 * @throws MilvusError 1100
 */
export function checkSparseVector(bytes: Uint8Array, where: string): void {
  if (bytes.length % SPARSE_PAIR_BYTES !== 0) {
    throw invalidParameter(`invalid data length in sparse float vector of ${where}: ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let previous = -1;
  for (let at = 0; at < bytes.length; at += SPARSE_PAIR_BYTES) {
    const index = view.getUint32(at, true);
    const value = view.getFloat32(at + 4, true);
    if (index <= previous)
      throw invalidParameter(`unsorted or same indices in sparse float vector of ${where}`);
    if (index > SPARSE_INDEX_MAX) {
      throw invalidParameter(
        `sparse vector index must be a uint32 less than 2^32-1, got ${index} in ${where}`,
      );
    }
    if (!Number.isFinite(value))
      throw invalidParameter(`value '${value}' is not a number or infinity in ${where}`);
    previous = index;
  }
}
