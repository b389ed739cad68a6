/** Sizes are rounded up to this, so that batches of nearly the same size can use one another's memory. */
const GRANULE_BYTES = 64 * 1024;

/**
 * Shared memory that is used again: no collector of garbage knows how large it is, and fresh pages cost more than what is
 * written into them.
 */
export class SpareMemory {
  readonly #spares: SharedArrayBuffer[] = [];

  /** Gives back memory that nobody reads any more. */
  add(spares: readonly SharedArrayBuffer[]): void {
    this.#spares.push(...spares);
  }

  /** Memory of this length, with whatever it held before. */
  take(length: number): Uint8Array {
    const fitting = this.#spares.findIndex(
      ({ byteLength }) => byteLength >= length && byteLength <= 2 * length + GRANULE_BYTES,
    );
    const [spare] = fitting < 0 ? [] : this.#spares.splice(fitting, 1);
    const bytes = Math.ceil(length / GRANULE_BYTES) * GRANULE_BYTES;
    return new Uint8Array(spare ?? new SharedArrayBuffer(bytes), 0, length);
  }
}

/** The shared memory among these bytes, each once. */
export function sharedMemoryOf(pieces: readonly Uint8Array[]): readonly SharedArrayBuffer[] {
  const shared = pieces.flatMap(({ buffer }) => (buffer instanceof SharedArrayBuffer ? [buffer] : []));
  return [...new Set(shared)];
}
