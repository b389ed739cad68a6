import { integerHash } from './integer-hash.ts';

/** Numbers of 64 bits, by their halves, and a slot for each. Unlike the language's own map it does not grow by leaps. */
export class SlotTable {
  readonly #words: Int32Array;
  /** 0 where a place is free, otherwise 1 more than the slot. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  #size = 0;

  /** An empty table with room for `capacity` numbers and no more. */
  constructor(capacity: number) {
    const places = 2 ** Math.ceil(Math.log2(2 * capacity + 2));
    this.#words = new Int32Array(2 * places);
    this.#slots = new Uint32Array(places);
    this.#mask = places - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of the number with these halves, each read as 32 signed bits; -1 when it has none. */
  slotOf(low: number, high: number): number {
    return this.#slots[this.#placeOf(low, high)]! - 1;
  }

  /** Gives a number its slot; false when it has one. */
  add(low: number, high: number, slot: number): boolean {
    const place = this.#placeOf(low, high);
    if (this.#slots[place] !== 0) return false;
    this.#slots[place] = slot + 1;
    this.#words[2 * place] = low;
    this.#words[2 * place + 1] = high;
    this.#size++;
    return true;
  }

  /** Where the number is, or the free place where it would be. */
  #placeOf(low: number, high: number): number {
    let place = integerHash(low, high) & this.#mask;
    while (
      this.#slots[place] !== 0 &&
      (this.#words[2 * place] !== low || this.#words[2 * place + 1] !== high)
    )
      place = (place + 1) & this.#mask;
    return place;
  }
}
