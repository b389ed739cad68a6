/** Rows packed or unpacked at a stretch: well under a millisecond. A multiple of 8. */
export const BITMAP_STRETCH = 128 * 1024;

/** Packs bytes that are 0 or not into bits, the first row lowest. `bits` is zero where they go; `at` is a bit. */
export function packBits(bytes: Uint8Array, bits: Uint8Array, at: number): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) bits[(at + i) >> 3]! |= 1 << ((at + i) & 7);
  }
}

/** Unpacks bits `start .. end` into bytes that are 0 or 1. `start` is a multiple of 8. */
export function unpackBits(bits: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
  for (let row = start; row < end; row++) bytes[row] = (bits[row >> 3]! >> (row & 7)) & 1;
}
