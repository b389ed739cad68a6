import {
  ConcurrencyLimit,
  type Disk,
  DiskError,
  type DiskFile,
  type Random,
  randomHex,
} from '@elanus/runtime';
import { inParts } from '../body-parts.ts';
import { checkKey } from '../object-key.ts';
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  LocalFiles,
  ObjectBody,
  ObjectInfo,
  ObjectPage,
  ObjectStore,
  PutOptions,
} from '../object-store.ts';
import { CONDITIONAL_BYTES_MAX, PAGE_OBJECTS_MAX } from '../object-store.ts';
import { conditionalTooLarge, ObjectStoreError, type ObjectStoreErrorKind } from '../object-store-error.ts';
import { fileName } from './file-name.ts';
import { keysOfTree } from './key-tree.ts';

export interface LocalStoreOptions {
  /** Absolute; made when it is not there. Belongs to one process at a time. */
  readonly directory: string;
  readonly disk: Disk;
  readonly random: Random;
}

/** Where bodies are written before they get their name. No key has a file of this name: its dot would be escaped. */
const UNFINISHED = '.unfinished';
/** Bytes of one write. */
const WRITE_BYTES = 8 * 1024 * 1024;
/** 64 MiB: with a sync of each write it was half to two thirds as fast (ext4 on virtio, others at work). */
const WRITES_PER_SYNC = 8;

/**
 * Opens a directory as an object store: a file for each object, under the names of its key, as anybody's tools find
 * them. What an earlier process left unfinished is removed.
 */
export async function openLocalStore(options: LocalStoreOptions): Promise<ObjectStore> {
  const { directory, disk } = options;
  return await translated('', async () => {
    const unfinished = `${directory}/${UNFINISHED}`;
    await disk.remove(unfinished);
    await disk.createDirectory(unfinished);
    return new LocalStore(options);
  });
}

class LocalStore implements ObjectStore {
  readonly place: string;
  readonly files: LocalFiles = {
    pathOf: (key) => this.#pathOf(key),
    newDraft: () => this.#newDraft(),
    adopt: (key, draft) => this.#adopt(key, draft),
  };
  readonly #directory: string;
  readonly #disk: Disk;
  /** Sets the unfinished files of this process apart from those of a crashed one that its disk still holds. */
  readonly #prefix: string;
  #unfinished = 0;
  /** Folders known to be there, durably. */
  readonly #folders = new Set<string>();
  /** A look and what follows from it must not be torn apart by another writer of the same key. */
  readonly #naming = new Map<string, { readonly limit: ConcurrencyLimit; users: number }>();

  constructor({ directory, disk, random }: LocalStoreOptions) {
    this.place = `directory ${directory}`;
    this.#directory = directory;
    this.#disk = disk;
    this.#prefix = randomHex(random, 1);
  }

  put(key: string, body: ObjectBody, { condition, signal }: PutOptions = {}): Promise<ObjectInfo> {
    return this.#call(key, signal, async (path) => {
      if (condition === 'absent' && (await this.#isThere(path))) throw exists(key);
      const unfinished = this.#newDraft();
      try {
        const bytesMax = condition === 'absent' ? CONDITIONAL_BYTES_MAX : Number.POSITIVE_INFINITY;
        if (!(await this.#write(unfinished, body, bytesMax, signal))) throw conditionalTooLarge(key);
        return await this.#give(key, unfinished, async () => {
          if (condition === 'absent' && (await this.#isThere(path))) throw exists(key);
          signal?.throwIfAborted();
        });
      } catch (error) {
        // Best effort: the next start removes what is left here.
        await this.#disk.remove(unfinished).catch(() => {});
        throw error;
      }
    });
  }

  get(key: string, { range, allocate, signal }: GetOptions = {}): Promise<Uint8Array> {
    return this.#call(key, signal, async (path) => {
      await using file = await this.#openFile(key, path);
      const { offset, length } = range ?? { offset: 0, length: await file.size() };
      const bytes = allocate?.(length) ?? new Uint8Array(length);
      const read = await file.read(bytes, offset);
      if (read < length) {
        throw new ObjectStoreError('damaged', key, `${read} bytes instead of ${length} from ${offset} on`);
      }
      return bytes;
    });
  }

  head(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo> {
    return this.#call(key, signal, async (path) => {
      await using _file = await this.#openFile(key, path);
      return await this.#info(key, path);
    });
  }

  async list(options: ListOptions = {}): Promise<ObjectPage> {
    const { prefix = '', cursor = '', limit = PAGE_OBJECTS_MAX, signal } = options;
    return await translated('', async () => {
      const objects: ObjectInfo[] = [];
      for await (const { key, path } of keysOfTree(this.#disk, this.#directory, { prefix, after: cursor })) {
        signal?.throwIfAborted();
        if (objects.length === limit) return { objects, next: objects.at(-1)!.key };
        const info = await this.#info(key, path).catch(ignoreMissing);
        if (info !== null) objects.push(info);
      }
      return { objects, next: null };
    });
  }

  delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    return this.deleteMany([key], signal === undefined ? {} : { signal });
  }

  async deleteMany(keys: readonly string[], { signal }: CallOptions = {}): Promise<void> {
    const folders = new Set<string>();
    for (const key of keys) {
      await this.#call(key, signal, async (path) => {
        await this.#withName(path, async () => {
          if (!(await this.#isThere(path))) return;
          await this.#disk.remove(path);
          folders.add(folderOf(path));
        });
      });
    }
    for (const folder of folders) await translated('', () => this.#disk.syncDirectory(folder));
  }

  async close(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #newDraft(): string {
    return `${this.#directory}/${UNFINISHED}/${this.#prefix}-${this.#unfinished++}`;
  }

  #adopt(key: string, draft: string): Promise<ObjectInfo> {
    return this.#call(key, undefined, () => this.#give(key, draft, async () => {}));
  }

  /** Gives a whole file its name; `check` has the last word. */
  async #give(key: string, draft: string, check: () => Promise<void>): Promise<ObjectInfo> {
    const path = this.#pathOf(key);
    await this.#createFolder(folderOf(path));
    return await this.#withName(path, async () => {
      await check();
      await this.#refuseFolder(key, path);
      await this.#disk.rename(draft, path);
      await this.#disk.syncDirectory(folderOf(path));
      return await this.#info(key, path);
    });
  }

  #pathOf(key: string): string {
    return `${this.#directory}/${key.split('/').map(fileName).join('/')}`;
  }

  async #call<Result>(
    key: string,
    signal: AbortSignal | undefined,
    work: (path: string) => Promise<Result>,
  ): Promise<Result> {
    checkKey(key);
    signal?.throwIfAborted();
    return await translated(key, () => work(this.#pathOf(key)));
  }

  /** Opens what must be an object: a folder of that name is none. */
  async #openFile(key: string, path: string): Promise<DiskFile> {
    if (!(await this.#isThere(path))) throw new ObjectStoreError('missing', key, 'there is no such object');
    return await this.#disk.open(path, 'read');
  }

  async #isThere(path: string): Promise<boolean> {
    const status = await this.#disk.stat(path).catch(ignoreMissing);
    return status?.kind === 'file';
  }

  async #refuseFolder(key: string, path: string): Promise<void> {
    const status = await this.#disk.stat(path).catch(ignoreMissing);
    if (status?.kind === 'directory') {
      throw new ObjectStoreError('invalid', key, 'there are objects below this key');
    }
  }

  async #info(key: string, path: string): Promise<ObjectInfo> {
    const { sizeBytes, modifiedMs } = await this.#disk.stat(path);
    return { key, sizeBytes, modifiedMs, etag: `${modifiedMs}-${sizeBytes}` };
  }

  /** False when the body has more than `bytesMax`. */
  async #write(
    path: string,
    body: ObjectBody,
    bytesMax: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    await using file = await this.#disk.open(path, 'build');
    await using parts = inParts(body, { partBytes: WRITE_BYTES, lifetime: 'two parts' });
    let part = await parts.next();
    for (let position = 0; ; ) {
      signal?.throwIfAborted();
      const { bytes, isLast } = part;
      if (position + bytes.length > bytesMax) return false;
      // The next part is made while the disk writes this one.
      const next = isLast ? part : parts.next();
      const [written, made] = await Promise.allSettled([
        this.#writePart(file, bytes, position, isLast),
        next,
      ]);
      if (written.status === 'rejected') throw written.reason;
      if (made.status === 'rejected') throw made.reason;
      if (isLast) return true;
      position += bytes.length;
      part = made.value;
    }
  }

  /** Syncs at the end, and in between so that what the system holds back does not delay others for long. */
  async #writePart(file: DiskFile, bytes: Uint8Array, position: number, isLast: boolean): Promise<void> {
    await file.write([bytes], position);
    if (isLast || (position / WRITE_BYTES) % WRITES_PER_SYNC === WRITES_PER_SYNC - 1) await file.sync();
  }

  async #createFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await this.#disk.createDirectory(folder);
    this.#folders.add(folder);
  }

  async #withName<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
    const turn = this.#naming.get(path) ?? { limit: new ConcurrencyLimit(1), users: 0 };
    this.#naming.set(path, turn);
    turn.users += 1;
    try {
      return await turn.limit.run(work);
    } finally {
      turn.users -= 1;
      if (turn.users === 0) this.#naming.delete(path);
    }
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function exists(key: string): ObjectStoreError {
  return new ObjectStoreError('exists', key, 'the object is there already');
}

function ignoreMissing(error: unknown): null {
  if (error instanceof DiskError && error.kind === 'missing') return null;
  throw error;
}

const KIND_BY_DISK_KIND: Readonly<Record<DiskError['kind'], ObjectStoreErrorKind>> = {
  full: 'full',
  missing: 'missing',
  denied: 'denied',
  failed: 'failed',
};

async function translated<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    throw new ObjectStoreError(KIND_BY_DISK_KIND[error.kind], key, error.message, error);
  }
}
