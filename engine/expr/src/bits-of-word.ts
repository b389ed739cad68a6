/** How many bits of 32 are set: sums of neighbouring bits, pairs, nibbles and bytes, all at once. */
export function bitsOfWord(word: number): number {
  let sums = word - ((word >>> 1) & 0x55555555);
  sums = (sums & 0x33333333) + ((sums >>> 2) & 0x33333333);
  return Math.imul((sums + (sums >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
