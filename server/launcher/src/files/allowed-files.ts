import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readlink, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { importFailed } from '@elanus/model';
import { isObjectStoreError, type ObjectStore } from '@elanus/object-store';
import type { ExportFiles, ImportFile, ImportFiles } from '@elanus/rpc';

/**
 * The files that imports may read and exports may write: objects by their keys, and files of one directory by their
 * absolute paths. No path leads out of the directory: what counts is where a file lies, links followed.
 */
export class AllowedFiles implements ImportFiles, ExportFiles {
  readonly #store: ObjectStore;
  readonly #directory: string | null;

  /** `directory` is absolute; `null`: no file of this machine may be read. */
  constructor(store: ObjectStore, directory: string | null) {
    this.#store = store;
    this.#directory = directory;
  }

  async open(path: string): Promise<ImportFile> {
    return isAbsolute(path) ? await this.#openLocal(path) : await this.#openObject(path);
  }

  async write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    if (path.split('/').includes('..')) throw notAllowed(path);
    await (isAbsolute(path) ? this.#writeLocal(path, bytes) : this.#writeObject(path, bytes));
  }

  async #writeObject(key: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    if (OWN_KEY.test(key)) throw importFailed(`the path is the server's own: ${key}`);
    try {
      await this.#store.put(key, bytes);
    } catch (error) {
      if (isObjectStoreError(error, 'invalid')) throw importFailed(`the path is not valid: ${key}`);
      throw error;
    }
  }

  /** To a file beside it first, so that whoever looks sees all of it or nothing. */
  async #writeLocal(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#directory === null) throw notAllowed(path);
    const folder = await folderWithin(this.#directory, dirname(path));
    const draft = join(folder, `.${basename(path)}.draft`);
    await rm(draft, { force: true });
    const handle = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
    try {
      for await (const piece of bytes) await handle.writeFile(piece);
      await handle.sync();
    } catch (error) {
      await handle.close();
      await rm(draft, { force: true });
      throw error;
    }
    await handle.close();
    await rename(draft, join(folder, basename(path)));
    await syncFolder(folder);
  }

  async #openObject(key: string): Promise<ImportFile> {
    const store = this.#store;
    try {
      const { sizeBytes } = await store.head(key);
      return {
        size: sizeBytes,
        read: async (offset, length) => ownBytes(await store.get(key, { range: { offset, length } })),
        close: async () => {},
      };
    } catch (error) {
      if (!isObjectStoreError(error, 'missing') && !isObjectStoreError(error, 'invalid')) throw error;
      throw importFailed(`the file does not exist: ${key}`);
    }
  }

  async #openLocal(path: string): Promise<ImportFile> {
    if (this.#directory === null) throw notAllowed(path);
    let handle: FileHandle;
    let directory: string;
    try {
      directory = await realpath(this.#directory);
      // A pipe would wait for its writer.
      handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      throw notAllowed(path);
    }
    try {
      const place = await readlink(`/proc/self/fd/${handle.fd}`);
      const information = await handle.stat();
      if (!place.startsWith(directory + sep) || !information.isFile()) throw notAllowed(path);
      return {
        size: information.size,
        descriptor: handle.fd,
        read: (offset, length) => readFully(handle, path, offset, length),
        close: () => handle.close(),
      };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/** Of the files of collections, and of what says whose the store is. */
const OWN_KEY = /^(collection-|elanus-)/;

/** Makes a folder that lies in `directory` at each step of the way. @throws MilvusError 2100 */
async function folderWithin(directory: string, folder: string): Promise<string> {
  const root = await realpath(directory).catch(() => {
    throw notAllowed(folder);
  });
  const names = relative(directory, folder).split(sep);
  if (names.includes('..') || isAbsolute(relative(directory, folder))) throw notAllowed(folder);
  let place = root;
  for (const name of names.filter((each) => each !== '')) {
    await mkdir(join(place, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    place = await realpath(join(place, name));
    if (!place.startsWith(root + sep)) throw notAllowed(folder);
  }
  return place;
}

/** A name is durable when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

/** Says nothing of what there is elsewhere. */
function notAllowed(path: string): Error {
  return importFailed(`the file does not exist, or may not be read: ${path}`);
}

async function readFully(
  handle: FileHandle,
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) throw new Error(`${path} has become shorter`);
    at += bytesRead;
  }
  return bytes;
}

/** A buffer that nobody else has a view of. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isOwn = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return (isOwn ? bytes : Uint8Array.from(bytes)) as Uint8Array<ArrayBuffer>;
}
