import { type FileHandle, mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLockFile } from '@elanus/kernel';
import { StartError } from './start-error.ts';

/** What this build reads and writes; the file `VERSION` of a directory says what it holds. */
export const DATA_FORMAT_VERSION = 1;

const LOCK_FILE = 'LOCK';
const VERSION_FILE = 'VERSION';
const FIRST_LINE = /^elanus data format (\d+)\n/;

/**
 * A directory that this process alone may use, until it closes it or ends, however it ends. The lock is the
 * kernel's, on the open file `LOCK`; the process id in that file is only for messages.
 */
export class DataDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #lock: FileHandle;

  private constructor(path: string, lock: FileHandle) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the directory if it is not there.
   * @throws StartError when it can't be used, another process uses it, or it holds what this build can't read
   */
  static async open(path: string): Promise<DataDirectory> {
    try {
      await mkdir(path, { recursive: true, mode: 0o750 });
      return await DataDirectory.#lockAndCheck(path);
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw new StartError(`cannot use the data directory ${path}: ${reasonOf(error)}`, error);
    }
  }

  static async #lockAndCheck(path: string): Promise<DataDirectory> {
    // Whether the directory is ours is decided before a single file is made in it.
    const entries = await readdir(path);
    const format = entries.includes(VERSION_FILE)
      ? await readFile(join(path, VERSION_FILE), 'utf8')
      : undefined;
    if (format === undefined) refuseForeign(path, entries);
    else refuseOtherVersion(path, format);

    const lock = await open(join(path, LOCK_FILE), 'a+', 0o640);
    try {
      if (!tryLockFile(lock.fd)) throw new StartError(await inUse(path, lock));
      await lock.truncate(0);
      await lock.write(`${process.pid}\n`);
      if (format === undefined) await writeVersion(path);
    } catch (error) {
      await lock.close();
      throw error;
    }
    return new DataDirectory(path, lock);
  }

  /** The path of `name` in this directory. */
  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** What a small file of the directory says; made with what `initial` gives, durably, when it is not there. */
  async textOf(name: string, initial: () => string): Promise<string> {
    const entries = await readdir(this.path);
    if (!entries.includes(name)) await writeText(this.path, name, initial());
    return await readFile(this.pathOf(name), 'utf8');
  }

  /** Lets the next process in. */
  async close(): Promise<void> {
    await this.#lock.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Left over by a first start that was killed before it wrote the version. */
const BEFORE_VERSION = new Set([LOCK_FILE, `${VERSION_FILE}.new`, 'lost+found']);

function refuseForeign(path: string, entries: readonly string[]): void {
  const foreign = entries.find((entry) => !BEFORE_VERSION.has(entry) && !entry.startsWith('.'));
  if (foreign === undefined) return;
  throw new StartError(`${path} holds ${foreign} but no ${VERSION_FILE}: it is no data directory of Elanus`);
}

function refuseOtherVersion(path: string, text: string): void {
  const version = FIRST_LINE.exec(text)?.[1];
  if (version === undefined)
    throw new StartError(`${join(path, VERSION_FILE)} is damaged: it names no data format`);
  if (Number(version) === DATA_FORMAT_VERSION) return;
  const other = Number(version) > DATA_FORMAT_VERSION ? 'a newer' : 'an older';
  throw new StartError(
    `${path} was written by ${other} Elanus: its data format is ${version}, this one reads ${DATA_FORMAT_VERSION}`,
  );
}

/** Written once, before anything else is. */
async function writeVersion(path: string): Promise<void> {
  await writeText(path, VERSION_FILE, `elanus data format ${DATA_FORMAT_VERSION}\n`);
}

/** Whole or not at all. */
async function writeText(path: string, name: string, text: string): Promise<void> {
  const temporary = join(path, `${name}.new`);
  await using file = await open(temporary, 'w', 0o640);
  await file.write(text);
  await file.sync();
  await rename(temporary, join(path, name));
  await using directory = await open(path, 'r');
  await directory.sync();
}

async function inUse(path: string, lock: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await lock.read({ buffer: Buffer.alloc(32), position: 0 });
  const pid = /^\d+/.exec(buffer.toString('latin1', 0, bytesRead))?.[0];
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return `the data directory ${path} is in use by ${holder}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to write there',
  EPERM: 'this user has no right to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'there is a file of this name',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
