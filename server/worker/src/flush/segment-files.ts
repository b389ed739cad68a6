import type { SegmentInfo } from '@elanus/model';
import type { ObjectStore } from '@elanus/object-store';
import { SealedFile } from '@elanus/segment';

/** Opens the files of sealed segments. */
export interface SegmentFiles {
  /** A file that is opened when somebody needs it. */
  of(info: SegmentInfo): SealedFile;
}

/** Reads a whole file into memory when it is opened. */
export class SegmentFilesInMemory implements SegmentFiles {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  of(info: SegmentInfo): SealedFile {
    const allocate = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));
    return new SealedFile(info, {
      map: () => this.#store.get(info.file.key, { allocate }),
    });
  }
}
