import { type FileHandle, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { tryLockFile } from '@elanus/kernel';
import { type Logger, silentLogger } from '@elanus/runtime';
import { StartError } from './start-error.ts';

/** What this build writes; the file `VERSION` of a directory says what it holds. In format 1 the catalog was an LMDB file. */
export const DATA_FORMAT_VERSION = 2;
const DATA_FORMAT_OLDEST = 1;

const LOCK_FILE = 'LOCK';
const VERSION_FILE = 'VERSION';
/** The second line is the CRC-32 of the first; format 1 had none. */
const VERSION_TEXT = /^(elanus data format (\d{1,6})\n)(?:([0-9a-f]{8})\n)?$/;

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
   * Makes the directory if it is not there. A `VERSION` that is lost or damaged is made anew where the directory is
   * clearly ours.
   * @throws StartError when it can't be used, another process uses it, or it holds what this build can't read
   */
  static async open(
    path: string,
    { logger = silentLogger }: { readonly logger?: Logger } = {},
  ): Promise<DataDirectory> {
    return await usable(path, async () => {
      await makeDirectory(path);
      return await DataDirectory.#lockAndCheck(path, logger);
    });
  }

  static async #lockAndCheck(path: string, logger: Logger): Promise<DataDirectory> {
    // Whether the directory is ours is decided before a single file is made in it.
    const entries = await readdir(path);
    const text = entries.includes(VERSION_FILE) ? await readFile(join(path, VERSION_FILE), 'utf8') : null;
    const version = text === null ? null : versionOf(text);
    if (version !== null) refuseOtherVersion(path, version);
    else if (!isClearlyOurs(entries)) refuseForeign(path, entries, text);
    else logger.error({ file: join(path, VERSION_FILE) }, 'a file is damaged or missing: it is made anew');

    const lock = await open(join(path, LOCK_FILE), 'a+', 0o640);
    try {
      if (!tryLockFile(lock.fd)) throw new StartError(await inUse(path, lock));
      await lock.truncate(0);
      await lock.write(`${process.pid}\n`);
      if (version !== DATA_FORMAT_VERSION) await writeVersion(path);
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

  /** What a small file of the directory says; `null` when it is not there. @throws StartError when it can't be read */
  async textOf(name: string): Promise<string | null> {
    return await usable(this.path, async () => {
      const entries = await readdir(this.path);
      return entries.includes(name) ? await readFile(this.pathOf(name), 'utf8') : null;
    });
  }

  /**
   * Puts a small file in the place of what is there, whole or not at all; durable when it resolves.
   * @throws StartError when it can't be written
   */
  async putText(name: string, text: string): Promise<void> {
    await usable(this.path, () => writeText(this.path, name, text));
  }

  /** Lets the next process in. */
  async close(): Promise<void> {
    await this.#lock.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Turns what the file system says of the directory `path` into a sentence that names it. @throws StartError */
async function usable<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`cannot use the data directory ${path}: ${reasonOf(error)}`, error);
  }
}

/** With all above it. Node's own way of doing so never ends where nothing can be made, as below `/proc`. */
async function makeDirectory(path: string): Promise<void> {
  const make = () => mkdir(path, { mode: 0o750 });
  try {
    await make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await make();
  }
}

/** Left over by a first start that was killed before it wrote the version. */
const BEFORE_VERSION = new Set([LOCK_FILE, `${VERSION_FILE}.new`, 'lost+found']);

/** What a server keeps here: a directory with these folders and nothing else is no one else's. */
const FOLDERS = ['catalog', 'log'];
const OURS = new Set([...BEFORE_VERSION, VERSION_FILE, ...FOLDERS, 'OWNER', 'OWNER.new', 'objects', 'cache']);

function isClearlyOurs(entries: readonly string[]): boolean {
  return (
    FOLDERS.every((folder) => entries.includes(folder)) &&
    entries.every((entry) => OURS.has(entry) || entry.startsWith('.'))
  );
}

function refuseForeign(path: string, entries: readonly string[], version: string | null): void {
  if (version !== null)
    throw new StartError(`${join(path, VERSION_FILE)} is damaged: it names no data format`);
  const foreign = entries.find((entry) => !BEFORE_VERSION.has(entry) && !entry.startsWith('.'));
  if (foreign === undefined) return;
  throw new StartError(`${path} holds ${foreign} but no ${VERSION_FILE}: it is no data directory of Elanus`);
}

/** `null`: the text is damaged. */
function versionOf(text: string): number | null {
  const [, line, version, checksum] = VERSION_TEXT.exec(text) ?? [];
  if (line === undefined) return null;
  if (checksum !== undefined) return checksum === checksumOf(line) ? Number(version) : null;
  return Number(version) === DATA_FORMAT_OLDEST ? DATA_FORMAT_OLDEST : null;
}

function checksumOf(line: string): string {
  return crc32(line).toString(16).padStart(8, '0');
}

function refuseOtherVersion(path: string, version: number): void {
  if (version >= DATA_FORMAT_OLDEST && version <= DATA_FORMAT_VERSION) return;
  const other = version > DATA_FORMAT_VERSION ? 'a newer' : 'an older';
  throw new StartError(
    `${path} was written by ${other} Elanus: its data format is ${version}, this one reads ${DATA_FORMAT_VERSION}`,
  );
}

/** Written before anything of the format is: an older build must not take a newer directory for an empty one. */
async function writeVersion(path: string): Promise<void> {
  const line = `elanus data format ${DATA_FORMAT_VERSION}\n`;
  await writeText(path, VERSION_FILE, `${line}${checksumOf(line)}\n`);
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
  ENOENT: 'nothing can be made there',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
