import { createHash } from 'node:crypto';
import { assert } from '@elanus/model';
import { fileName } from '../local/file-name.ts';
import type { ObjectInfo } from '../object-store.ts';
import { bytesOfFile, fetchInto, gapsBeside, punchGaps, sizeOfRanges } from './cached-copy.ts';
import type {
  FileRange,
  GapGuard,
  HeldFile,
  ObjectFiles,
  ObjectFilesOptions,
  WantedObject,
} from './object-files.ts';

/** What file systems allow a name, with room for endings. */
const NAME_BYTES_MAX = 200;
const DRAFTS = 'drafts';
const COPIES = 'copies';
/** Copies that have gaps: files that are mapped stay the same ones. No later process takes them for copies. */
const HOLLOW = 'hollow';

/**
 * - `whole`: all bytes are there.
 * - `hollow`: only what is kept; the room of the rest was given back, or is about to be.
 * - `filling`: the gaps are on their way back.
 */
type CopyState =
  | { readonly name: 'whole' }
  | { readonly name: 'hollow'; readonly gaps: readonly FileRange[] }
  | { readonly name: 'filling'; readonly filled: Promise<void> };

const WHOLE: CopyState = { name: 'whole' };

interface Copy {
  readonly name: string;
  readonly bytes: number;
  readonly holders: Set<CachedFile>;
  state: CopyState;
  /** By all holders. */
  uses: number;
  /** Bytes that it has on the disk, or soon. */
  roomBytes: number;
}

/** Opens a cache. Whole copies that an earlier process has left are used again, all else is removed. */
export async function openFileCache(options: ObjectFilesOptions): Promise<ObjectFiles> {
  const { disk, cacheDirectory } = options;
  for (const name of [DRAFTS, HOLLOW]) {
    await disk.remove(`${cacheDirectory}/${name}`);
    await disk.createDirectory(`${cacheDirectory}/${name}`);
  }
  await disk.createDirectory(`${cacheDirectory}/${COPIES}`);
  const found: { readonly copy: Copy; readonly modifiedMs: number }[] = [];
  for (const { name, kind } of await disk.list(`${cacheDirectory}/${COPIES}`)) {
    if (kind !== 'file') continue;
    const { sizeBytes, modifiedMs } = await disk.stat(`${cacheDirectory}/${COPIES}/${name}`);
    found.push({ copy: wholeCopy(name, sizeBytes), modifiedMs });
  }
  found.sort((a, b) => a.modifiedMs - b.modifiedMs);
  return new FileCache(
    options,
    found.map(({ copy }) => copy),
  );
}

function wholeCopy(name: string, bytes: number): Copy {
  return { name, bytes, holders: new Set(), state: WHOLE, uses: 0, roomBytes: bytes };
}

/** Copies of a bucket's objects. An object never changes, so a copy of its length is one. */
class FileCache implements ObjectFiles {
  readonly #options: ObjectFilesOptions;
  /** By name; who was wanted last is last. */
  readonly #copies = new Map<string, Copy>();
  readonly #loading = new Map<string, Promise<void>>();
  #cachedBytes = 0;
  #usedBytes = 0;
  #drafts = 0;
  /** Where files have no holes what is mapped stays. */
  #hasHoles = true;
  /** Room that is being given back: before new bytes come, and before a name is used again. */
  #clearing: Promise<void> = Promise.resolve();

  constructor(options: ObjectFilesOptions, copies: readonly Copy[]) {
    this.#options = options;
    for (const copy of copies) this.#add(copy);
    this.#makeRoom();
  }

  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  async hold(object: WantedObject): Promise<HeldFile> {
    const name = nameOf(object.key);
    if (this.#copies.get(name)?.bytes !== object.bytes) await this.#loadOnce(name, object);
    const copy = this.#copies.get(name);
    // Another may have wanted the room in the same tick.
    if (copy === undefined) return await this.hold(object);
    const held = new CachedFile(this, copy, object);
    copy.holders.add(held);
    try {
      await held.use();
    } catch (error) {
      held.release();
      throw error;
    }
    return held;
  }

  newDraft(): string {
    return `${this.#options.cacheDirectory}/${DRAFTS}/${this.#drafts++}`;
  }

  async publish(key: string, draft: string): Promise<ObjectInfo> {
    const { store, disk } = this.#options;
    const info = await store.put(key, bytesOfFile(draft, disk));
    // Who has just made a file will want to read it.
    const name = nameOf(key);
    await this.#clearing;
    await disk.rename(draft, this.pathOf(name));
    this.#add(wholeCopy(name, info.sizeBytes));
    this.#makeRoom();
    return info;
  }

  pathOf(name: string, directory = COPIES): string {
    return `${this.#options.cacheDirectory}/${directory}/${name}`;
  }

  /** Counts a use of a copy, whose gaps come back; `null`: it has none. */
  use(copy: Copy, object: WantedObject): Promise<void> | null {
    if (copy.uses++ === 0) this.#usedBytes += copy.bytes;
    this.#touch(copy);
    if (copy.state.name === 'whole') return null;
    if (copy.state.name === 'hollow') {
      const { gaps } = copy.state;
      copy.state = { name: 'filling', filled: this.#fill(copy, gaps, object) };
    }
    return copy.state.filled;
  }

  leave(copy: Copy, uses: number): void {
    if (uses === 0) return;
    copy.uses -= uses;
    if (copy.uses > 0) return;
    this.#usedBytes -= copy.bytes;
    this.#makeRoom();
  }

  /** The holder is gone, and its uses with it. */
  forget(copy: Copy, holder: CachedFile, uses: number): void {
    copy.holders.delete(holder);
    this.leave(copy, uses);
    // Nobody has it mapped any more: what is left of it is no use.
    if (copy.holders.size === 0 && copy.state.name === 'hollow') this.#remove(copy);
  }

  #add(copy: Copy): void {
    const before = this.#copies.get(copy.name);
    this.#cachedBytes += copy.roomBytes - (before?.roomBytes ?? 0);
    this.#copies.delete(copy.name);
    this.#copies.set(copy.name, copy);
  }

  /** Now it was wanted last. Another may have its name by now. */
  #touch(copy: Copy): void {
    if (this.#copies.get(copy.name) !== copy) return;
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
    const { disk } = this.#options;
    const draft = this.newDraft();
    this.#cachedBytes += object.bytes;
    this.#usedBytes += object.bytes;
    this.#makeRoom();
    await this.#clearing;
    try {
      await fetchInto(draft, object, null, this.#options);
      await this.#clearing;
      await disk.rename(draft, this.pathOf(name));
    } catch (error) {
      this.#cachedBytes -= object.bytes;
      await disk.remove(draft).catch(() => {});
      throw error;
    } finally {
      this.#usedBytes -= object.bytes;
    }
    this.#cachedBytes -= object.bytes;
    this.#add(wholeCopy(name, object.bytes));
  }

  /** Brings the bytes of gaps back to where they were. When it fails the gaps are gaps still. */
  async #fill(copy: Copy, gaps: readonly FileRange[], object: WantedObject): Promise<void> {
    const { disk } = this.#options;
    const path = this.pathOf(copy.name, HOLLOW);
    this.#grow(copy, copy.bytes);
    this.#makeRoom();
    await this.#clearing;
    try {
      await fetchInto(path, object, gaps, this.#options);
      await disk.rename(path, this.pathOf(copy.name));
      for (const { guard } of copy.holders) guard(gaps, 'back');
      copy.state = WHOLE;
      // Who wanted it may have gone.
      this.#makeRoom();
    } catch (error) {
      await punchGaps(path, gaps, disk).catch(() => {});
      copy.state = { name: 'hollow', gaps };
      this.#grow(copy, copy.bytes - sizeOfRanges(gaps));
      if (copy.holders.size === 0) this.#remove(copy);
      throw error;
    }
  }

  #grow(copy: Copy, roomBytes: number): void {
    this.#cachedBytes += roomBytes - copy.roomBytes;
    copy.roomBytes = roomBytes;
  }

  /** Lets go of what nobody uses until the rest fits. */
  #makeRoom(): void {
    for (const copy of [...this.#copies.values()]) {
      if (this.#cachedBytes <= this.#options.cacheBytesMax) return;
      if (copy.uses > 0 || copy.state.name !== 'whole') continue;
      if (copy.holders.size === 0) this.#remove(copy);
      else if (this.#hasHoles) this.#hollow(copy);
    }
  }

  #remove(copy: Copy): void {
    const directory = copy.state.name === 'whole' ? COPIES : HOLLOW;
    this.#copies.delete(copy.name);
    this.#grow(copy, 0);
    // What can't be removed now, the next start finds and counts.
    this.#clear(() => this.#options.disk.remove(this.pathOf(copy.name, directory)));
  }

  #hollow(copy: Copy): void {
    const gaps = gapsBeside(
      copy.bytes,
      [...copy.holders].flatMap(({ kept }) => kept),
    );
    const hollow: CopyState = { name: 'hollow', gaps };
    for (const { guard } of copy.holders) guard(gaps, 'going');
    copy.state = hollow;
    this.#grow(copy, copy.bytes - sizeOfRanges(gaps));
    this.#clear(async () => {
      const { disk, cacheDirectory } = this.#options;
      const [from, to] = [this.pathOf(copy.name), this.pathOf(copy.name, HOLLOW)];
      await disk.rename(from, to);
      try {
        // A crash must not leave a file with gaps among the copies.
        await disk.syncDirectory(`${cacheDirectory}/${COPIES}`);
        await disk.syncDirectory(`${cacheDirectory}/${HOLLOW}`);
        await punchGaps(to, gaps, disk);
      } catch {
        this.#hasHoles = false;
        // Who wants it back meanwhile looks for it where it is, and writes what is there already.
        if (copy.state !== hollow) return;
        await disk.rename(to, from);
        for (const { guard } of copy.holders) guard(gaps, 'back');
        copy.state = WHOLE;
        this.#grow(copy, copy.bytes);
      }
    });
  }

  #clear(work: () => Promise<void>): void {
    this.#clearing = this.#clearing.then(work).catch(() => {});
  }
}

/** A holder of a copy. */
class CachedFile implements HeldFile {
  readonly isLasting = false;
  kept: readonly FileRange[] = [];
  guard: GapGuard = () => {};
  readonly #cache: FileCache;
  readonly #copy: Copy;
  readonly #object: WantedObject;
  #uses = 0;
  #isReleased = false;

  constructor(cache: FileCache, copy: Copy, object: WantedObject) {
    this.#cache = cache;
    this.#copy = copy;
    this.#object = object;
  }

  get path(): string {
    return this.#cache.pathOf(this.#copy.name);
  }

  get isThere(): boolean {
    return this.#copy.state.name === 'whole';
  }

  use(): Promise<void> | null {
    assert(!this.#isReleased, 'a file that was released is not used');
    this.#uses += 1;
    const coming = this.#cache.use(this.#copy, this.#object);
    if (coming === null) return null;
    return coming.catch((error: unknown) => {
      this.leave();
      throw error;
    });
  }

  /** With the release all uses have ended. */
  leave(): void {
    if (this.#isReleased) return;
    assert(this.#uses > 0, 'who leaves a file has used it');
    this.#uses -= 1;
    this.#cache.leave(this.#copy, 1);
  }

  keep(ranges: readonly FileRange[]): void {
    this.kept = ranges;
  }

  watch(guard: GapGuard): void {
    this.guard = guard;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#cache.forget(this.#copy, this, this.#uses);
  }
}

/** The key as the name of a file, so that people see what lies there; of a long key its hash. */
function nameOf(key: string): string {
  const name = fileName(key);
  return name.length <= NAME_BYTES_MAX ? name : createHash('sha256').update(key).digest('hex');
}
