import type { KeyHash } from './key-hash.ts';

const INDEX_BITS = 12;
const REGISTERS = 2 ** INDEX_BITS;
const BIAS = 0.7213 / (1 + 1.079 / REGISTERS);

/**
 * About how many different values there are: HyperLogLog (Flajolet and others 2007) with 4,096 registers, off by
 * about 1.6 %; by less when there are few.
 */
export class DistinctEstimate {
  readonly #registers = new Uint8Array(REGISTERS);

  /** `low` chooses the register, `high` is the chance that is recorded in it. */
  add({ low, high }: KeyHash): void {
    const index = low >>> (32 - INDEX_BITS);
    const rank = Math.clz32(high) + 1;
    if (rank > this.#registers[index]!) this.#registers[index] = rank;
  }

  /** A whole number. */
  estimate(): number {
    let sum = 0;
    let empty = 0;
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) empty += 1;
    }
    const raw = (BIAS * REGISTERS * REGISTERS) / sum;
    const isFew = raw <= 2.5 * REGISTERS && empty > 0;
    return Math.round(isFew ? REGISTERS * Math.log(REGISTERS / empty) : raw);
  }
}
