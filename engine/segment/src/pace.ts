/**
 * Says when work has come so far that it should look whether its turn is over: a look at the clock takes half a
 * microsecond, as much as some pieces of work.
 */
export class Pace {
  readonly #workPerLook: number;
  #left: number;

  /** `workPerLook` is well under a millisecond of work, in whatever it is counted. */
  constructor(workPerLook: number) {
    this.#workPerLook = workPerLook;
    this.#left = workPerLook;
  }

  /** Whether to look before the next piece, which is so much work. */
  isDue(work: number): boolean {
    this.#left -= work;
    if (this.#left >= 0) return false;
    this.#left = this.#workPerLook - work;
    return true;
  }
}
