/** System calls that Node has no function for. */

import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { loadNative } from './native.ts';

/** What a system call of this name has answered. */
export function systemError(syscall: string, errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${syscall}`), { code, errno: -errno, syscall });
}

/**
 * Takes the advisory lock of an open file (`flock`), which lasts until the file is closed or the process ends, however
 * it ends. False when another process, or another open of the file in this one, has it.
 * @throws Error with `code` for any other failure
 */
export function tryLockFile(fd: number): boolean {
  const errno = loadNative().lockFile(fd);
  if (errno === constants.errno.EWOULDBLOCK) return false;
  if (errno !== 0) throw systemError('flock', errno);
  return true;
}

/**
 * Makes sure that writes into `length` bytes from `offset` on will find room on the disk. The file grows when it is
 * shorter; new bytes read as zero. Blocks while the file system works, which is short where it supports the call.
 * @throws Error with `code`: `ENOSPC` when the disk is full, `EFBIG`, `EBADF`
 */
export function allocateFile(fd: number, offset: number, length: number): void {
  const errno = loadNative().allocateFile(fd, offset, length);
  if (errno !== 0) throw systemError('fallocate', errno);
}

/**
 * Gives the room of `length` bytes of a file, from `offset` on, back to the disk: they read as zeros, also where the file is
 * mapped, until they are written again. The file keeps its length. On another thread; the file stays open meanwhile.
 * @throws Error with `code`: `EOPNOTSUPP` where files have no holes
 */
export async function punchFile(fd: number, offset: number, length: number): Promise<void> {
  const errno = length === 0 ? 0 : await loadNative().punchFile(fd, offset, length);
  if (errno !== 0) throw systemError('fallocate', errno);
}

/** Gives back to the system what the C library keeps of freed memory, on another thread. Does nothing where it keeps none. */
export async function trimMemory(): Promise<void> {
  await loadNative().trimMemory();
}

const PAGE_BYTES = 4096;

/** Zeros that begin at a page of memory: devices read from nowhere else when a file is written past the page cache. */
export function pageAligned(length: number): Uint8Array {
  const bytes = new Uint8Array(length + PAGE_BYTES);
  const behindPage = loadNative().addressOf(bytes) % PAGE_BYTES;
  return bytes.subarray(PAGE_BYTES - behindPage, PAGE_BYTES - behindPage + length);
}
