import type { NumberMemory } from '@elanus/formats';

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

/** Room in front of vectors for what a message says of them before they begin. */
const HEADROOM_BYTES = 1_024;

/** Memory for vectors of a batch that can become a message where they lie. */
export class VectorMemory implements NumberMemory {
  readonly #memory: SpareMemory;

  constructor(memory: SpareMemory) {
    this.#memory = memory;
  }

  take(bytes: number): Uint8Array {
    return this.#memory.take(HEADROOM_BYTES + bytes).subarray(HEADROOM_BYTES);
  }
}

/** The memory in front of vectors that begin where a `VectorMemory` lets them begin; `null`: these do not. */
export function headroomOf({ buffer, byteOffset }: Uint8Array): Uint8Array | null {
  const isThere = buffer instanceof SharedArrayBuffer && byteOffset === HEADROOM_BYTES;
  return isThere ? new Uint8Array(buffer, 0, HEADROOM_BYTES) : null;
}

/** The shared memory among these bytes, each once. */
export function sharedMemoryOf(pieces: readonly Uint8Array[]): readonly SharedArrayBuffer[] {
  const shared = pieces.flatMap(({ buffer }) => (buffer instanceof SharedArrayBuffer ? [buffer] : []));
  return [...new Set(shared)];
}
