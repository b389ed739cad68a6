const CAPACITY_MIN = 64;

/** How many rows have each dimension: an open-addressed table of 32-bit words. */
export class TermCounts {
  /** A dimension + 1, or 0 where nothing is. Dimensions end before 2^32 - 1. */
  #keys = new Uint32Array(CAPACITY_MIN);
  #counts = new Uint32Array(CAPACITY_MIN);
  #used = 0;

  get byteLength(): number {
    return this.#keys.byteLength + this.#counts.byteLength;
  }

  of(dimension: number): number {
    return this.#counts[this.#placeOf(dimension)]!;
  }

  add(dimension: number): void {
    const place = this.#placeOf(dimension);
    if (this.#keys[place] === 0) {
      this.#keys[place] = dimension + 1;
      this.#used += 1;
      if (2 * this.#used > this.#keys.length) {
        this.#grow();
        this.add(dimension);
        return;
      }
    }
    this.#counts[place]! += 1;
  }

  /** REQUIRES: the dimension was added more often than removed. */
  remove(dimension: number): void {
    this.#counts[this.#placeOf(dimension)]! -= 1;
  }

  /** Where the dimension is, or the free place where it would be. */
  #placeOf(dimension: number): number {
    const mask = this.#keys.length - 1;
    // Dimensions are hashes of words already, but those of other vectors may be small numbers in a row.
    let place = Math.imul(dimension, 0x9e3779b1) >>> 8;
    for (place &= mask; this.#keys[place] !== 0 && this.#keys[place] !== dimension + 1; )
      place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [keys, counts] = [this.#keys, this.#counts];
    this.#keys = new Uint32Array(2 * keys.length);
    this.#counts = new Uint32Array(2 * keys.length);
    for (let at = 0; at < keys.length; at++) {
      if (keys[at] === 0) continue;
      const place = this.#placeOf(keys[at]! - 1);
      this.#keys[place] = keys[at]!;
      this.#counts[place] = counts[at]!;
    }
  }
}
