import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

/** Bytes summed at a stretch: MD5 takes about a millisecond for them. */
const STRETCH = 512 * 1024;

/** The CRC-32 of the bytes; gives up the thread in between. */
export async function crc32Of(bytes: Uint8Array): Promise<number> {
  let sum = 0;
  for await (const stretch of stretchesOf(bytes)) sum = crc32(stretch, sum);
  return sum;
}

/** The MD5 of the bytes, which every service compares with what arrived; gives up the thread in between. */
export async function md5Of(bytes: Uint8Array): Promise<Buffer> {
  const hash = createHash('md5');
  for await (const stretch of stretchesOf(bytes)) hash.update(stretch);
  return hash.digest();
}

async function* stretchesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += STRETCH) {
    if (at > 0) await setImmediate();
    yield bytes.subarray(at, at + STRETCH);
  }
}
