import type { Disk } from '@elanus/runtime';
import type { LocalFiles, ObjectInfo, ObjectStore } from '../object-store.ts';
import { openFileCache } from './file-cache.ts';

/** An object whose bytes are wanted in a file. */
export interface WantedObject {
  readonly key: string;
  readonly bytes: number;
  /** Of all its bytes. */
  readonly crc32: number;
}

/** A file with the bytes of an object, for as long as its holder wants it. */
export interface HeldFile {
  readonly path: string;
  /** Idempotent. */
  release(): void;
}

/** The objects of any store as files of this machine, for who maps them or has to write a file. */
export interface ObjectFiles {
  /**
   * Resolves when the object lies in a file. Of a bucket, it has been compared with its checksum on the way.
   * @throws ObjectStoreError; DiskError when the cache can't be written
   */
  hold(object: WantedObject): Promise<HeldFile>;
  /** A path that no file has yet, on the file system of the held ones. */
  newDraft(): string;
  /**
   * Makes an object of the file at a draft's path, which is written, durable and closed; the file is gone from there
   * when this resolves, and may be there still when it rejects.
   */
  publish(key: string, draft: string): Promise<ObjectInfo>;
  /**
   * Bytes of copies of objects of a bucket: at most those that are allowed, or those that are held where these are more; 0
   * for a directory, which needs none.
   */
  readonly cachedBytes: number;
  /** Those of them that somebody holds. */
  readonly heldBytes: number;
}

export interface ObjectFilesOptions {
  readonly store: ObjectStore;
  readonly disk: Disk;
  /** Where copies lie; belongs to this process. Absolute. */
  readonly cacheDirectory: string;
  /** Copies that nobody holds are removed beyond this, those first that nobody has wanted for longest. */
  readonly cacheBytesMax: number;
}

/** Opens the files of a store: its own where it is a directory, else a cache of copies. */
export async function openObjectFiles(options: ObjectFilesOptions): Promise<ObjectFiles> {
  const { files } = options.store;
  return files === null ? await openFileCache(options) : new DirectoryFiles(files);
}

class DirectoryFiles implements ObjectFiles {
  readonly cachedBytes = 0;
  readonly heldBytes = 0;
  readonly #files: LocalFiles;

  constructor(files: LocalFiles) {
    this.#files = files;
  }

  async hold({ key }: WantedObject): Promise<HeldFile> {
    return { path: this.#files.pathOf(key), release: () => {} };
  }

  newDraft(): string {
    return this.#files.newDraft();
  }

  publish(key: string, draft: string): Promise<ObjectInfo> {
    return this.#files.adopt(key, draft);
  }
}
