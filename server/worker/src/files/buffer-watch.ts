/** Growth between two looks by which one tells that requests are coming. */
const COMING_BYTES_MIN = 4 * 1024 * 1024;
/** Less means that they have ceased. */
const RESTING_BYTES_MAX = 1024 * 1024;
/** While requests go on coming so much growth is worth a collection. */
const GARBAGE_BYTES = 64 * 1024 * 1024;
/** By so much buffers grow only when V8 is made to look for garbage. */
const GROWTH_BYTES_MAX = 192 * 1024 * 1024;

/**
 * Tells from the bytes of buffers outside of V8's heap when they are worth a collection of garbage. Buffers of requests that
 * have outlived some collections of young objects lie about until the whole heap is looked through, which may be for ever
 * once requests have ceased.
 */
export class BufferWatch {
  #before = Number.POSITIVE_INFINITY;
  /** At the least since a collection was worth it. */
  #least = Number.POSITIVE_INFINITY;
  #haveCome = false;

  /** To be called now and then with the bytes of now; whether a collection is worth it, which is then taken to begin. */
  look(bytes: number): boolean {
    const growth = bytes - this.#before;
    this.#before = bytes;
    this.#least = Math.min(this.#least, bytes);
    if (growth >= COMING_BYTES_MIN && growth < GROWTH_BYTES_MAX) this.#haveCome = true;
    const haveCeased = this.#haveCome && Math.abs(growth) < RESTING_BYTES_MAX;
    const sum = bytes - this.#least;
    const isMuch = sum >= GARBAGE_BYTES && sum < GROWTH_BYTES_MAX;
    if (!haveCeased && !isMuch) return false;
    this.#haveCome = false;
    this.#least = bytes;
    return true;
  }
}
