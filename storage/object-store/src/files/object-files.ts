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

/** Bytes of a file. */
export interface FileRange {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * A file with the bytes of an object, for as long as its holder wants it. Who maps it may let go of the bytes without unmapping
 * them: while nobody uses them they may be zeros, so that the disk has their room for others, and whoever uses them next
 * waits until they are back, at the same place of memory.
 *
 * It is in use once when it is handed out.
 */
export interface HeldFile {
  readonly path: string;
  /** Whether all bytes are there, used or not. */
  readonly isThere: boolean;
  /** Whether the bytes stay, used or not. */
  readonly isLasting: boolean;
  /**
   * Begins a use; resolves when all bytes are there, `null`: they are. Who has used it calls `leave`, once for each use that
   * did not fail.
   * @throws ObjectStoreError; DiskError
   */
  use(): Promise<void> | null;
  leave(): void;
  /** What stays where it is, used or not. */
  keep(ranges: readonly FileRange[]): void;
  /** `guard` is told before `gaps` go, and when they are back before anybody hears of it. */
  watch(guard: GapGuard): void;
  /** Ends all uses. Idempotent. */
  release(): void;
}

export type GapGuard = (gaps: readonly FileRange[], are: 'going' | 'back') => void;

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
   * Bytes of copies of objects of a bucket, those on their way included: at most those that are allowed, or those that are in
   * use, with what is kept of others, where these are more; 0 for a directory, which needs none.
   */
  readonly cachedBytes: number;
  /** Those of them that somebody uses, or waits for. */
  readonly usedBytes: number;
}

export interface ObjectFilesOptions {
  readonly store: ObjectStore;
  readonly disk: Disk;
  /** Where copies lie; belongs to this process. Absolute. */
  readonly cacheDirectory: string;
  /** Beyond this the bytes of copies that nobody uses are let go of, those first that nobody has wanted for longest. */
  readonly cacheBytesMax: number;
}

/** Opens the files of a store: its own where it is a directory, else a cache of copies. */
export async function openObjectFiles(options: ObjectFilesOptions): Promise<ObjectFiles> {
  const { files } = options.store;
  return files === null ? await openFileCache(options) : new DirectoryFiles(files);
}

class DirectoryFiles implements ObjectFiles {
  readonly cachedBytes = 0;
  readonly usedBytes = 0;
  readonly #files: LocalFiles;

  constructor(files: LocalFiles) {
    this.#files = files;
  }

  async hold({ key }: WantedObject): Promise<HeldFile> {
    return new DirectoryFile(this.#files.pathOf(key));
  }

  newDraft(): string {
    return this.#files.newDraft();
  }

  publish(key: string, draft: string): Promise<ObjectInfo> {
    return this.#files.adopt(key, draft);
  }
}

class DirectoryFile implements HeldFile {
  readonly path: string;
  readonly isThere = true;
  readonly isLasting = true;

  constructor(path: string) {
    this.path = path;
  }

  use(): null {
    return null;
  }

  leave(): void {}
  keep(): void {}
  watch(): void {}
  release(): void {}
}
