import { crc32 } from 'node:zlib';
import type { Disk } from '@elanus/runtime';
import type { ObjectStore } from '../object-store.ts';
import { ObjectStoreError } from '../object-store-error.ts';
import type { FileRange, WantedObject } from './object-files.ts';

/** Bytes of one request, and requests of one object at a time. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;
/** Bytes whose checksum is computed at a stretch. */
const CHECKSUM_STRETCH = 1024 * 1024;
/** Bytes whose room is given back by one call of the system. */
const PUNCH_STRETCH = 64 * 1024 * 1024;

export interface CopyTools {
  readonly store: ObjectStore;
  readonly disk: Disk;
}

/**
 * Copies an object to the file at `path`: to a new one, or into the `gaps` of one that has all else.
 * @throws ObjectStoreError `damaged` when the object is not what was written; the file is then to be thrown away, or its
 * gaps are gaps still
 */
export async function fetchInto(
  path: string,
  { key, bytes, crc32: expected }: WantedObject,
  gaps: readonly FileRange[] | null,
  { store, disk }: CopyTools,
): Promise<void> {
  await using file = await disk.open(path, gaps === null ? 'build' : 'rebuild');
  const closing = new AbortController();
  const part = (offset: number): Promise<Uint8Array> | null => {
    if (offset >= bytes) return null;
    const length = Math.min(PART_BYTES, bytes - offset);
    const read = store.get(key, { range: { offset, length }, signal: closing.signal });
    // The one that is waited for tells.
    read.catch(() => {});
    return read;
  };
  try {
    // Parts are asked for ahead, and written in their order.
    const ahead = Array.from({ length: PARTS_AT_ONCE }, (_, i) => part(i * PART_BYTES));
    let sum = 0;
    for (let at = 0; at < bytes; at += PART_BYTES) {
      const read = (await ahead.shift())!;
      ahead.push(part(at + PARTS_AT_ONCE * PART_BYTES));
      for (let from = 0; from < read.length; from += CHECKSUM_STRETCH)
        sum = crc32(read.subarray(from, from + CHECKSUM_STRETCH), sum);
      const whole = [{ offset: at, bytes: read.length }];
      for (const { offset, bytes: length } of gaps === null ? whole : common(whole[0]!, gaps))
        await file.write([read.subarray(offset - at, offset - at + length)], offset);
    }
    if (sum !== expected)
      throw new ObjectStoreError('damaged', key, 'the bytes are not those that were written');
    await file.sync();
  } finally {
    closing.abort();
  }
}

/** Gives the room of the gaps back. @throws DiskError where the file system has no holes */
export async function punchGaps(path: string, gaps: readonly FileRange[], disk: Disk): Promise<void> {
  await using file = await disk.open(path, 'rebuild');
  for (const { offset, bytes } of gaps)
    for (let at = 0; at < bytes; at += PUNCH_STRETCH)
      await file.punch(offset + at, Math.min(PUNCH_STRETCH, bytes - at));
}

/** The bytes of a file, in parts. */
export async function* bytesOfFile(path: string, disk: Disk): AsyncGenerator<Uint8Array> {
  await using file = await disk.open(path, 'read');
  const size = await file.size();
  for (let at = 0; at < size; at += PART_BYTES) {
    const bytes = new Uint8Array(Math.min(PART_BYTES, size - at));
    await file.read(bytes, at);
    yield bytes;
  }
}

/** What of `bytes` none of these ranges, in any order, has. */
export function gapsBeside(bytes: number, ranges: readonly FileRange[]): readonly FileRange[] {
  const gaps: FileRange[] = [];
  let end = 0;
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    if (range.offset > end) gaps.push({ offset: end, bytes: range.offset - end });
    end = Math.max(end, range.offset + range.bytes);
  }
  if (bytes > end) gaps.push({ offset: end, bytes: bytes - end });
  return gaps;
}

export function sizeOfRanges(ranges: readonly FileRange[]): number {
  return ranges.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What of a range the others have. */
function common(range: FileRange, others: readonly FileRange[]): readonly FileRange[] {
  const end = range.offset + range.bytes;
  return others
    .map(({ offset, bytes }) => {
      const from = Math.max(offset, range.offset);
      return { offset: from, bytes: Math.min(offset + bytes, end) - from };
    })
    .filter(({ bytes }) => bytes > 0);
}
