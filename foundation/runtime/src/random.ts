import { randomFillSync } from 'node:crypto';

/** Chance, injected so that a whole run repeats from one seed. */
export interface Random {
  /** A whole number, 0 or more, below 2^32. */
  uint32(): number;
  /** A number, 0 or more, below 1. */
  float(): number;
  /** A whole number, 0 or more, below `bound` (1 to 2^32). */
  below(bound: number): number;
  /** True with this probability (0 to 1). */
  chance(probability: number): boolean;
}

class DrawnRandom implements Random {
  readonly #draw: () => number;

  constructor(draw: () => number) {
    this.#draw = draw;
  }

  uint32(): number {
    return this.#draw();
  }

  float(): number {
    return this.#draw() / 2 ** 32;
  }

  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }
}

/** The same numbers for the same seed, for ever: a stepped hash of a counter. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return new DrawnRandom(() => {
    // A Weyl sequence through a 32-bit finaliser that spreads each input bit over all output bits.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  });
}

/** `words` times 32 bits in hexadecimal: a name that nobody else has drawn. */
export function randomHex(random: Random, words: number): string {
  return Array.from({ length: words }, () => random.uint32().toString(16).padStart(8, '0')).join('');
}

const word = new Uint32Array(1);

/** The machine's own randomness, good enough for secrets. */
export const systemRandom: Random = new DrawnRandom(() => randomFillSync(word)[0]!);
