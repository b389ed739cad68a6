import { adviseHugePages } from '@elanus/kernel';

/** Two pages of 2 MiB: less than this may hold none that is whole. */
const HUGE_BYTES_MIN = 4 * 1024 * 1024;

/** Memory that the kernel's threads read where it lies. Zeroed; pages that are never written cost nothing. */
export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  if (length >= HUGE_BYTES_MIN) adviseHugePages(bytes);
  return bytes;
}

/** `bytes` with room for at least `lengthMin`, at least doubled, its contents kept; itself when it is long enough. */
export function grownBytes(
  bytes: Uint8Array<SharedArrayBuffer>,
  lengthMin: number,
): Uint8Array<SharedArrayBuffer> {
  if (bytes.length >= lengthMin) return bytes;
  const grown = sharedBytes(Math.max(lengthMin, 2 * bytes.length));
  grown.set(bytes);
  return grown;
}

/** Like `grownBytes`, of numbers. */
export function grownUint32(
  words: Uint32Array<SharedArrayBuffer>,
  lengthMin: number,
): Uint32Array<SharedArrayBuffer> {
  if (words.length >= lengthMin) return words;
  const grown = new Uint32Array(new SharedArrayBuffer(4 * Math.max(lengthMin, 2 * words.length)));
  grown.set(words);
  return grown;
}

export function sharedUint32(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(4 * length));
}
