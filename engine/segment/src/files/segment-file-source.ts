import { assert } from '@elanus/model';
import type { ObjectStore } from '@elanus/object-store';

/** Where the bytes of a segment file come from. */
export interface SegmentFileSource {
  readonly sizeBytes: number;
  /**
   * These bytes, which lie inside of the file, at an address that is a multiple of 8; nobody changes them. A mapped
   * file answers with views of the map.
   */
  read(offset: number, bytes: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** A file in memory, mapped or read: columns are views of `bytes`, which begin at a multiple of 64. */
export function sourceInMemory(bytes: Uint8Array): SegmentFileSource {
  assert(bytes.byteOffset % 8 === 0, 'a file in memory is aligned');
  return {
    sizeBytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** A file in an object store: each column is read when it is asked for, into memory that the kernel's threads see. */
export function sourceInStore(store: ObjectStore, key: string, sizeBytes: number): SegmentFileSource {
  return {
    sizeBytes,
    read: (offset, length, signal) =>
      store.get(key, {
        range: { offset, length },
        allocate: (count) => new Uint8Array(new SharedArrayBuffer(count)),
        ...(signal !== undefined && { signal }),
      }),
  };
}
