import { IntegerSet } from './integer-set.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

const number = new Float64Array(1);
const halves = new Int32Array(number.buffer);

/** A set of doubles, by their bits: unlike the language's own it does not grow by leaps, so it is built in slices. */
export class NumberSet {
  readonly #bits: IntegerSet;

  constructor(capacity: number) {
    this.#bits = new IntegerSet(capacity);
  }

  /** The set of `values`, none of them NaN. */
  static *building(values: readonly number[]): Work<NumberSet> {
    const set = new NumberSet(values.length);
    for (let at = 0; at < values.length; at++) {
      if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
      number[0] = values[at]! + 0;
      set.#bits.add(halves[0]!, halves[1]!);
    }
    return set;
  }

  /** Whether the set has a value equal to `value`; 0 and -0 are, and NaN never is. */
  has(value: number): boolean {
    // Adding 0 makes -0 a 0.
    number[0] = value + 0;
    return this.#bits.has(halves[0]!, halves[1]!);
  }
}
