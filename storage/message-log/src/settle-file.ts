import type { DiskFile } from '@elanus/runtime';

/** How many bytes there are from `end` to the last one that is not zero. */
export async function countTorn(file: DiskFile, end: number, size: number): Promise<number> {
  const chunk = new Uint8Array(256 * 1024);
  let last = end;
  for (let position = end; position < size; position += chunk.length) {
    const read = await file.read(chunk.subarray(0, Math.min(chunk.length, size - position)), position);
    const index = chunk.subarray(0, read).findLastIndex((byte) => byte !== 0);
    if (index !== -1) last = position + index + 1;
  }
  return last - end;
}

/** Writes what the file holds from `from` to `to` once more. Equal bytes over equal bytes: a tear changes nothing. */
export async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  const chunk = new Uint8Array(Math.min(to - from, 1024 * 1024));
  for (let position = from; position < to; position += chunk.length) {
    const wanted = chunk.subarray(0, Math.min(chunk.length, to - position));
    const read = await file.read(wanted, position);
    await file.writeDurably([wanted.subarray(0, read)], position);
  }
}
