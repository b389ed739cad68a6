import type { Clock } from './clock.ts';
import {
  type DirectoryEntry,
  type Disk,
  DiskError,
  type DiskFile,
  type FileStatus,
  type OpenMode,
} from './disk.ts';
import type { Random } from './random.ts';
import { SimulatedFile } from './simulated-file.ts';

export interface SimulatedDiskOptions {
  readonly random: Random;
  /** Bytes that all files together may have; no bound when left out. */
  readonly capacityBytes?: number;
  /** Dates the files; without one they are all of the year 1970. */
  readonly clock?: Pick<Clock, 'nowMs'>;
}

/** How a machine ends. A killed process leaves the page cache; a power cut leaves what was synced, and some of the rest. */
export type CrashKind = 'kill' | 'power';

type Entry = SimulatedFile | SimulatedDirectory;

/** A directory and what a crash may take back of it: its changes since it was last synced, in order. */
class SimulatedDirectory {
  entries = new Map<string, Entry>();
  durable = new Map<string, Entry>();
  changes: { readonly name: string; readonly entry: Entry | null }[] = [];

  set(name: string, entry: Entry | null): void {
    if (entry === null) this.entries.delete(name);
    else this.entries.set(name, entry);
    this.changes.push({ name, entry });
  }

  /** Makes the first `count` changes durable and forgets the others. */
  settle(count: number): void {
    for (const { name, entry } of this.changes.slice(0, count)) {
      if (entry === null) this.durable.delete(name);
      else this.durable.set(name, entry);
    }
    this.changes = [];
  }
}

/**
 * A disk in memory, for tests: deterministic for one `random` and one order of calls, without timers.
 * It keeps what is durable apart from what readers see. `crash` takes back, by chance, any part of the
 * difference: whole writes, their sectors, torn bytes, lengths, names. Calls take a random number of
 * microtasks, so that a crash can fall into the middle of one; calls of a mount that a crash has ended
 * never settle, as for a process that is gone.
 */
export class SimulatedDisk {
  readonly #random: Random;
  readonly #clock: Pick<Clock, 'nowMs'> | null;
  #capacityBytes: number;
  #root = new SimulatedDirectory();
  /** Counts crashes: mounts of an earlier life do nothing any more. */
  #life = 0;
  #syncFailure = 0;

  constructor({ random, capacityBytes = Number.POSITIVE_INFINITY, clock }: SimulatedDiskOptions) {
    this.#random = random;
    this.#clock = clock ?? null;
    this.#capacityBytes = capacityBytes;
  }

  /** Bytes that all files together may have from now on; less than they have now means that none may grow. */
  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  /** From now on a write or sync fails with this probability (0 to 1), by chance before or after some of it is durable. */
  failSyncs(probability: number): void {
    this.#syncFailure = probability;
  }

  /** The disk as the processes of one life see it: until the next crash. */
  mount(): Disk {
    const life = this.#life;
    return {
      open: (path, mode) => this.#open(life, path, mode),
      openAppender: (path, mode) => this.#open(life, path, mode, APPENDED_BLOCK_BYTES),
      openReader: (path) => this.#open(life, path, 'read'),
      list: (directory) => this.#list(life, directory),
      stat: (path) => this.#stat(life, path),
      createDirectory: (path) => this.#createDirectory(life, path),
      rename: (from, to) => this.#rename(life, from, to),
      remove: (path) => this.#remove(life, path),
      syncDirectory: (path) => this.#syncDirectory(life, path),
    };
  }

  usedBytes(): number {
    return [...filesBelow(this.#root)].reduce((sum, [, file]) => sum + file.view.length, 0);
  }

  /** The paths of all files that readers see, sorted. */
  filePaths(): readonly string[] {
    return [...filesBelow(this.#root)].map(([path]) => path).sort();
  }

  /** The length of a file as readers see it. */
  sizeOf(path: string): number {
    return this.#file(path).view.length;
  }

  /** Ends all mounts, with what they had open and under way. */
  crash(kind: CrashKind): void {
    this.#life += 1;
    if (kind === 'kill') return;
    this.#losePower(this.#root);
  }

  /** Inverts one bit of a file, in memory and on the medium. */
  flipBit(path: string, bit: number): void {
    this.#file(path).flipBit(bit);
  }

  #open(life: number, path: string, mode: OpenMode, blockBytes = 1): Promise<DiskFile> {
    return this.act(life, () => {
      const found = this.#find(path);
      if (found instanceof SimulatedDirectory) throw new DiskError('failed', path, 'is a directory');
      if (mode !== 'create' && mode !== 'build') {
        if (found === undefined) throw missing(path);
        return new OpenSimulatedFile(this, path, found, life, blockBytes);
      }
      const file = found ?? new SimulatedFile();
      if (found === undefined) this.#parent(path).set(lastName(path), file);
      else file.truncate(0);
      file.modifiedMs = this.#nowMs();
      return new OpenSimulatedFile(this, path, file, life, blockBytes);
    });
  }

  #list(life: number, directory: string): Promise<readonly DirectoryEntry[]> {
    return this.act(life, () =>
      [...this.#directory(directory).entries]
        .map(([name, entry]): DirectoryEntry => {
          return { name, kind: entry instanceof SimulatedFile ? 'file' : 'directory' };
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }

  #stat(life: number, path: string): Promise<FileStatus> {
    return this.act(life, () => {
      const found = this.#find(path);
      if (found === undefined) throw missing(path);
      if (found instanceof SimulatedDirectory) return { kind: 'directory', sizeBytes: 0, modifiedMs: 0 };
      return { kind: 'file', sizeBytes: found.view.length, modifiedMs: found.modifiedMs };
    });
  }

  async #createDirectory(life: number, path: string): Promise<void> {
    let above = '';
    for (const name of namesOf(path)) {
      const directory = above;
      await this.act(life, () => {
        const { entries } = this.#directory(directory);
        if (entries.get(name) instanceof SimulatedFile)
          throw new DiskError('failed', path, 'a file is in the way');
        if (!entries.has(name)) this.#directory(directory).set(name, new SimulatedDirectory());
      });
      await this.#syncDirectory(life, directory);
      above = `${above}/${name}`;
    }
  }

  #rename(life: number, from: string, to: string): Promise<void> {
    return this.act(life, () => {
      const entry = this.#find(from);
      if (entry === undefined) throw missing(from);
      this.#parent(to).set(lastName(to), entry);
      this.#parent(from).set(lastName(from), null);
    });
  }

  #remove(life: number, path: string): Promise<void> {
    return this.act(life, () => {
      if (this.#find(path) !== undefined) this.#parent(path).set(lastName(path), null);
    });
  }

  #syncDirectory(life: number, path: string): Promise<void> {
    return this.act(life, () => {
      const directory = this.#directory(path);
      if (this.#random.chance(this.#syncFailure)) throw new DiskError('failed', path, 'the sync failed');
      directory.settle(directory.changes.length);
    });
  }

  /**
   * For mounts and open files: does one step at one moment, after a while; never settles when the life
   * it belongs to is over by then.
   */
  async act<Result>(life: number, step: () => Result): Promise<Result> {
    for (let turns = this.#random.below(8); turns > 0; turns -= 1) await null;
    if (life !== this.#life) await new Promise<never>(() => {});
    return step();
  }

  /** For open files: puts the buffers into the page cache, as many bytes as there is room for. */
  write(path: string, file: SimulatedFile, buffers: readonly Uint8Array[], position: number): void {
    const bytes = Buffer.concat(buffers);
    file.modifiedMs = this.#nowMs();
    const room = this.#capacityBytes - this.usedBytes();
    const growth = position + bytes.length - file.view.length;
    if (growth <= Math.max(room, 0)) {
      file.write(bytes, position);
      return;
    }
    const fits = Math.max(0, bytes.length - (growth - Math.max(room, 0)));
    file.write(bytes.subarray(0, this.#random.below(fits + 1)), position);
    throw new DiskError('full', path, 'no space left');
  }

  /** For open files. After a failure the page cache looks clean: a later sync does not write what this one lost. */
  sync(path: string, file: SimulatedFile): void {
    if (this.#random.chance(this.#syncFailure)) {
      file.settleSome(this.#random);
      throw new DiskError('failed', path, 'the sync failed');
    }
    file.settleAll();
  }

  #nowMs(): number {
    return this.#clock?.nowMs() ?? 0;
  }

  #losePower(directory: SimulatedDirectory): void {
    // The file system's journal keeps the order of a directory's changes: some first ones survive.
    directory.settle(this.#random.below(directory.changes.length + 1));
    directory.entries = new Map(directory.durable);
    for (const entry of directory.entries.values()) {
      if (entry instanceof SimulatedFile) {
        entry.settleSome(this.#random);
        entry.forgetView();
      } else {
        this.#losePower(entry);
      }
    }
  }

  #find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root;
    for (const name of namesOf(path)) {
      if (!(entry instanceof SimulatedDirectory)) return undefined;
      entry = entry.entries.get(name);
    }
    return entry;
  }

  #file(path: string): SimulatedFile {
    const found = this.#find(path);
    if (!(found instanceof SimulatedFile)) throw missing(path);
    return found;
  }

  #directory(path: string): SimulatedDirectory {
    const found = this.#find(path);
    if (!(found instanceof SimulatedDirectory)) throw missing(path);
    return found;
  }

  #parent(path: string): SimulatedDirectory {
    return this.#directory(namesOf(path).slice(0, -1).join('/'));
  }
}

/** An appender writes the file's blocks whole. */
const APPENDED_BLOCK_BYTES = 4096;

class OpenSimulatedFile implements DiskFile {
  readonly path: string;
  readonly #disk: SimulatedDisk;
  readonly #file: SimulatedFile;
  readonly #life: number;
  readonly #blockBytes: number;
  #isOpen = true;

  constructor(disk: SimulatedDisk, path: string, file: SimulatedFile, life: number, blockBytes: number) {
    this.path = path;
    this.#disk = disk;
    this.#file = file;
    this.#life = life;
    this.#blockBytes = blockBytes;
  }

  size(): Promise<number> {
    return this.#act(() => this.#file.view.length);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#act(() => {
      const bytes = this.#file.view.subarray(position, position + target.length);
      target.set(bytes);
      return bytes.length;
    });
  }

  async writeDurably(buffers: readonly Uint8Array[], position: number): Promise<void> {
    await this.write(buffers, position);
    await this.sync();
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return this.#act(() => {
      const head = position % this.#blockBytes;
      const bytes = Buffer.concat([this.#held(position - head, head), ...buffers]);
      const tail = -bytes.length & (this.#blockBytes - 1);
      this.#disk.write(this.path, this.#file, [bytes, Buffer.alloc(tail)], position - head);
    });
  }

  /** What the file holds from `position` on, with zeros behind its end. */
  #held(position: number, count: number): Uint8Array {
    const held = new Uint8Array(count);
    held.set(this.#file.view.subarray(position, position + count));
    return held;
  }

  punch(position: number, length: number): Promise<void> {
    return this.#act(() => this.#file.write(new Uint8Array(length), position));
  }

  truncate(length: number): Promise<void> {
    return this.#act(() => this.#file.truncate(length));
  }

  async sync(): Promise<void> {
    await this.#act(() => this.#disk.sync(this.path, this.#file));
    // A crash may come between the sync and its answer.
    await this.#act(() => {});
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #act<Result>(step: () => Result): Promise<Result> {
    if (!this.#isOpen) return Promise.reject(new DiskError('failed', this.path, 'the file is closed'));
    return this.#disk.act(this.#life, step);
  }
}

function* filesBelow(directory: SimulatedDirectory, path = ''): Generator<readonly [string, SimulatedFile]> {
  for (const [name, entry] of directory.entries) {
    const below = `${path}/${name}`;
    if (entry instanceof SimulatedFile) yield [below, entry];
    else yield* filesBelow(entry, below);
  }
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '');
}

function lastName(path: string): string {
  return namesOf(path).at(-1) ?? '';
}

function missing(path: string): DiskError {
  return new DiskError('missing', path, 'no such file or directory');
}
