/**
 * Memory that the kernel's threads read where it lies. Zeroed; pages that are never written cost nothing. Not on pages
 * of 2 MiB: the system makes room for one in the middle of a write, which held the event loop for up to 11 ms.
 */
export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length));
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
