import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, sep } from 'node:path';
import { importFailed } from '@elanus/model';
import { isObjectStoreError, type ObjectStore } from '@elanus/object-store';
import type { ImportFile, ImportFiles } from '@elanus/rpc';

/**
 * The files that imports may read: objects by their keys, and files of one directory by their absolute paths. No path
 * leads out of the directory: what counts is where an opened file lies, links followed.
 */
export class AllowedImportFiles implements ImportFiles {
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
        read: (offset, length) => readFully(handle, path, offset, length),
        close: () => handle.close(),
      };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
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
