/** Differs from process to process, so that nobody can write a list whose integers all fall into one place. */
const [SEED] = crypto.getRandomValues(new Int32Array(1)) as unknown as readonly [number];

/** Spreads a 64-bit integer, given by its halves, over 32 bits. */
export function integerHash(low: number, high: number): number {
  let hash = Math.imul(low ^ SEED, 0x9e3779b1) ^ Math.imul(high + SEED, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
