import { pageAligned } from '@elanus/kernel';

/** Where what a device reads or writes by itself begins and ends, on any device: a memory page, and a multiple of its blocks. */
export const BLOCK_BYTES = 4096;
/** Of an area, a multiple of blocks. More is moved in pieces: whoever copies holds the event loop. */
export const AREA_BYTES = 1024 * 1024;
const AREAS_KEPT = 4;

/** Memory that a device may read from and write to, lent to one transfer at a time. */
export class DirectAreas {
  readonly #free: Uint8Array[] = [];

  /** `AREA_BYTES` of memory, holding anything, until `giveBack`. */
  take(): Uint8Array {
    return this.#free.pop() ?? pageAligned(AREA_BYTES);
  }

  /** No transfer uses the area any more. */
  giveBack(area: Uint8Array): void {
    if (this.#free.length < AREAS_KEPT) this.#free.push(area);
  }

  async lend<Result>(work: (area: Uint8Array) => Promise<Result>): Promise<Result> {
    const area = this.take();
    try {
      return await work(area);
    } finally {
      this.giveBack(area);
    }
  }
}
