/** Differs from process to process, so that nobody can write a list whose integers all fall into one place. */
const SEED = (Math.random() * 2 ** 32) | 0;

/** A set of 64-bit integers, asked by halves so that no row of a column becomes a bigint. */
export class IntegerSet {
  readonly #words: Int32Array;
  readonly #used: Uint8Array;
  readonly #mask: number;

  constructor(values: readonly bigint[]) {
    const slots = 2 ** Math.ceil(Math.log2(2 * values.length + 2));
    this.#words = new Int32Array(2 * slots);
    this.#used = new Uint8Array(slots);
    this.#mask = slots - 1;
    for (const value of values)
      this.#add(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Whether the integer with these halves, each read as 32 signed bits, is in the set. */
  has(low: number, high: number): boolean {
    const slot = this.#slotOf(low | 0, high | 0);
    return this.#used[slot] === 1;
  }

  #add(low: number, high: number): void {
    const slot = this.#slotOf(low, high);
    this.#used[slot] = 1;
    this.#words[2 * slot] = low;
    this.#words[2 * slot + 1] = high;
  }

  /** Where the integer is, or the free place where it would be. */
  #slotOf(low: number, high: number): number {
    let hash = Math.imul(low ^ SEED, 0x9e3779b1) ^ Math.imul(high + SEED, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & this.#mask;
    while (this.#used[slot] === 1 && (this.#words[2 * slot] !== low || this.#words[2 * slot + 1] !== high))
      slot = (slot + 1) & this.#mask;
    return slot;
  }
}
