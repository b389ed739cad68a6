import { invalidParameter } from '@elanus/model';

const SPARSE_PAIR_BYTES = 8;
const SPARSE_INDEX_MAX = 0xffff_fffe;

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
