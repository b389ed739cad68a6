/** Files as memory. */

import { loadNative } from './native.ts';
import { systemError } from './posix.ts';

const maps = new WeakSet<ArrayBufferLike>();

/**
 * The first `length` bytes of an open file (it has that many, at least one), as read-only memory: writing to it ends the
 * process. From Node 26 on it is shared memory, which worker threads read where it lies. Stays valid when the file is closed or removed, but not when it is shortened; freed when nothing refers to
 * it any more.
 * @throws Error with `code`: `ENODEV` where the file system can't map, `ENOMEM`, `EBADF`
 */
export function mapFile(fd: number, length: number): Uint8Array {
  const mapped = loadNative().mapFile(fd, length);
  if (typeof mapped === 'number') throw systemError('mmap', mapped);
  maps.add(mapped);
  return new Uint8Array(mapped);
}

/** Whether the bytes lie in a map that `mapFile` has made in this thread, so that giving their pages back loses nothing. */
export function isMapped(bytes: Uint8Array): boolean {
  return maps.has(bytes.buffer);
}

/** Bytes of the pages of mapped memory that are in memory now, whoever reads them. */
export function residentBytes(bytes: Uint8Array): number {
  const resident = bytes.length === 0 ? 0 : loadNative().residentBytes(bytes);
  if (resident < 0) throw systemError('mincore', -resident);
  return resident;
}

/** Gives the memory of mapped pages back; who reads them afterwards waits for the disk. */
export function dropPages(bytes: Uint8Array): void {
  const errno = bytes.length === 0 ? 0 : loadNative().dropPages(bytes);
  if (errno !== 0) throw systemError('madvise', errno);
}

/**
 * Says whether the whole pages of mapped bytes may be read: whoever reads one that is guarded ends the process, in any thread,
 * which is better than an answer out of bytes that are not those of the file.
 */
export function guardPages(bytes: Uint8Array, access: 'readable' | 'guarded'): void {
  const errno = loadNative().guardPages(bytes, access === 'readable' ? 1 : 0);
  if (errno !== 0) throw systemError('mprotect', errno);
}

/**
 * Reads mapped bytes into memory on another thread, so that nobody who reads them afterwards waits for the disk.
 * @throws Error with `code`, `EFAULT` when the disk failed
 */
export async function readPages(bytes: Uint8Array): Promise<void> {
  const errno = bytes.length === 0 ? 0 : await loadNative().readPages(bytes);
  if (errno !== 0) throw systemError('madvise', errno);
}

/**
 * Has the system lay memory under bytes that will be written, on another thread: whoever writes first to a page waits for
 * it, which takes longer than writing it. Their contents stay, also what is written meanwhile. Never fails: it only saves time.
 */
export async function reservePages(bytes: Uint8Array): Promise<void> {
  if (bytes.length > 0) await loadNative().reservePages(bytes);
}
