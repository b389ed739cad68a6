import { invalidParameter } from '@elanus/model';

/** Exponent bits of each float format: all set means NaN or infinity. */
const FLOAT32_EXPONENT = 0x7f80_0000;
const FLOAT16_EXPONENT = 0x7c00;
const BFLOAT16_EXPONENT = 0x7f80;
const SPARSE_PAIR_BYTES = 8;
const SPARSE_INDEX_MAX = 0xffff_fffe;

/** Position of the first float32 in `bytes` that is NaN or infinite; -1 when there is none. */
export function firstNonFiniteFloat32(bytes: Uint8Array): number {
  return firstWithExponent(alignedWords(bytes, 4), FLOAT32_EXPONENT);
}

export function firstNonFiniteFloat16(bytes: Uint8Array): number {
  return firstWithExponent(alignedWords(bytes, 2), FLOAT16_EXPONENT);
}

export function firstNonFiniteBFloat16(bytes: Uint8Array): number {
  return firstWithExponent(alignedWords(bytes, 2), BFLOAT16_EXPONENT);
}

function firstWithExponent(words: Uint32Array | Uint16Array, exponent: number): number {
  for (let at = 0; at < words.length; at += 1) if ((words[at]! & exponent) === exponent) return at;
  return -1;
}

/** The words in `bytes`; a copy when they do not begin where a typed array may. */
function alignedWords(bytes: Uint8Array, width: 2 | 4): Uint32Array | Uint16Array {
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const count = Math.floor(aligned.byteLength / width);
  return width === 4
    ? new Uint32Array(aligned.buffer, aligned.byteOffset, count)
    : new Uint16Array(aligned.buffer, aligned.byteOffset, count);
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
