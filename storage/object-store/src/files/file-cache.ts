import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Disk } from '@elanus/runtime';
import { fileName } from '../local/file-name.ts';
import type { ObjectInfo, ObjectStore } from '../object-store.ts';
import { ObjectStoreError } from '../object-store-error.ts';
import type { HeldFile, ObjectFiles, ObjectFilesOptions, WantedObject } from './object-files.ts';

/** Bytes of one request, and requests of one object at a time. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;
/** Bytes whose checksum is computed at a stretch. */
const CHECKSUM_STRETCH = 1024 * 1024;
/** What file systems allow a name, with room for endings. */
const NAME_BYTES_MAX = 200;
const DRAFTS = 'drafts';
const COPIES = 'copies';

interface Copy {
  readonly name: string;
  readonly bytes: number;
  holders: number;
}

/** Opens a cache. Whole copies that an earlier process has left are used again, all else is removed. */
export async function openFileCache(options: ObjectFilesOptions): Promise<ObjectFiles> {
  const { disk, cacheDirectory } = options;
  await disk.remove(`${cacheDirectory}/${DRAFTS}`);
  await disk.createDirectory(`${cacheDirectory}/${DRAFTS}`);
  await disk.createDirectory(`${cacheDirectory}/${COPIES}`);
  const found: { readonly copy: Copy; readonly modifiedMs: number }[] = [];
  for (const { name, kind } of await disk.list(`${cacheDirectory}/${COPIES}`)) {
    if (kind !== 'file') continue;
    const { sizeBytes, modifiedMs } = await disk.stat(`${cacheDirectory}/${COPIES}/${name}`);
    found.push({ copy: { name, bytes: sizeBytes, holders: 0 }, modifiedMs });
  }
  found.sort((a, b) => a.modifiedMs - b.modifiedMs);
  return new FileCache(
    options,
    found.map(({ copy }) => copy),
  );
}

/** Copies of a bucket's objects. An object never changes, so a copy of its length is one. */
class FileCache implements ObjectFiles {
  readonly #store: ObjectStore;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #bytesMax: number;
  /** By name; who was wanted last is last. */
  readonly #copies = new Map<string, Copy>();
  readonly #loading = new Map<string, Promise<void>>();
  #cachedBytes = 0;
  #heldBytes = 0;
  #drafts = 0;
  /** Removals under way: a new copy may not get its name before the old one has lost it. */
  #removing: Promise<void> = Promise.resolve();

  constructor(options: ObjectFilesOptions, copies: readonly Copy[]) {
    this.#store = options.store;
    this.#disk = options.disk;
    this.#directory = options.cacheDirectory;
    this.#bytesMax = options.cacheBytesMax;
    for (const copy of copies) this.#add(copy);
  }

  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  async hold(object: WantedObject): Promise<HeldFile> {
    const name = nameOf(object.key);
    if (this.#copies.get(name)?.bytes !== object.bytes) await this.#loadOnce(name, object);
    const copy = this.#copies.get(name);
    // Another may have wanted the room in the same tick.
    if (copy === undefined) return await this.hold(object);
    this.#copies.delete(name);
    this.#copies.set(name, copy);
    if (copy.holders++ === 0) this.#heldBytes += copy.bytes;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      if (--copy.holders === 0) this.#heldBytes -= copy.bytes;
      this.#makeRoom();
    };
    return { path: this.#pathOf(name), release };
  }

  newDraft(): string {
    return `${this.#directory}/${DRAFTS}/${this.#drafts++}`;
  }

  async publish(key: string, draft: string): Promise<ObjectInfo> {
    const info = await this.#store.put(key, this.#bytesOf(draft));
    // Who has just made a file will want to read it.
    const name = nameOf(key);
    await this.#removing;
    await this.#disk.rename(draft, this.#pathOf(name));
    this.#add({ name, bytes: info.sizeBytes, holders: 0 });
    this.#makeRoom();
    return info;
  }

  #pathOf(name: string): string {
    return `${this.#directory}/${COPIES}/${name}`;
  }

  #add(copy: Copy): void {
    this.#cachedBytes += copy.bytes - (this.#copies.get(copy.name)?.bytes ?? 0);
    this.#copies.delete(copy.name);
    this.#copies.set(copy.name, copy);
  }

  #loadOnce(name: string, object: WantedObject): Promise<void> {
    const known = this.#loading.get(name);
    if (known !== undefined) return known;
    const loading = this.#load(name, object).finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  async #load(name: string, object: WantedObject): Promise<void> {
    const draft = this.newDraft();
    try {
      await this.#copy(object, draft);
      await this.#removing;
      await this.#disk.rename(draft, this.#pathOf(name));
    } catch (error) {
      await this.#disk.remove(draft).catch(() => {});
      throw error;
    }
    this.#add({ name, bytes: object.bytes, holders: 0 });
    this.#makeRoom(name);
  }

  /** Parts are asked for ahead, and written in their order. */
  async #copy({ key, bytes, crc32: expected }: WantedObject, path: string): Promise<void> {
    await using file = await this.#disk.open(path, 'build');
    const closing = new AbortController();
    const part = (offset: number): Promise<Uint8Array> | null => {
      if (offset >= bytes) return null;
      const length = Math.min(PART_BYTES, bytes - offset);
      const read = this.#store.get(key, { range: { offset, length }, signal: closing.signal });
      // The one that is waited for tells.
      read.catch(() => {});
      return read;
    };
    try {
      const ahead = Array.from({ length: PARTS_AT_ONCE }, (_, i) => part(i * PART_BYTES));
      let sum = 0;
      for (let at = 0; at < bytes; at += PART_BYTES) {
        const read = (await ahead.shift())!;
        ahead.push(part(at + PARTS_AT_ONCE * PART_BYTES));
        for (let from = 0; from < read.length; from += CHECKSUM_STRETCH)
          sum = crc32(read.subarray(from, from + CHECKSUM_STRETCH), sum);
        await file.write([read], at);
      }
      if (sum !== expected)
        throw new ObjectStoreError('damaged', key, 'the bytes are not those that were written');
      await file.sync();
    } finally {
      closing.abort();
    }
  }

  async *#bytesOf(path: string): AsyncGenerator<Uint8Array> {
    await using file = await this.#disk.open(path, 'read');
    const size = await file.size();
    for (let at = 0; at < size; at += PART_BYTES) {
      const bytes = new Uint8Array(Math.min(PART_BYTES, size - at));
      await file.read(bytes, at);
      yield bytes;
    }
  }

  /** Removes copies that nobody holds until the rest fits, but not the one that has just come. */
  #makeRoom(newest?: string): void {
    for (const { name, bytes, holders } of [...this.#copies.values()]) {
      if (this.#cachedBytes <= this.#bytesMax) return;
      if (holders > 0 || name === newest) continue;
      this.#copies.delete(name);
      this.#cachedBytes -= bytes;
      // What can't be removed now, the next start finds and counts.
      this.#removing = this.#removing.then(() => this.#disk.remove(this.#pathOf(name))).catch(() => {});
    }
  }
}

/** The key as the name of a file, so that people see what lies there; of a long key its hash. */
function nameOf(key: string): string {
  const name = fileName(key);
  return name.length <= NAME_BYTES_MAX ? name : createHash('sha256').update(key).digest('hex');
}
