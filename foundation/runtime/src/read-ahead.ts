import type { FileHandle } from 'node:fs/promises';
import { AREA_BYTES, BLOCK_BYTES, type DirectAreas } from './direct-areas.ts';
import type { SequentialReader } from './disk.ts';
import { translated } from './disk-errors.ts';

/** Areas that are read or wait for the reader: with so many under way a disk is at its full speed. */
const AREAS_AHEAD = 4;

/** A stretch of the file that is read, or was. */
interface Stretch {
  /** Where in the file it begins: a multiple of its size. */
  readonly at: number;
  readonly area: Uint8Array;
  /** How much of the area the file fills. */
  readonly filled: Promise<number>;
}

/**
 * Reads a file in stretches ahead of whoever asks, so that the disk works while bytes are being used. The file may be
 * open past the page cache, where no pages have to be found for what nobody reads a second time.
 */
export class ReadAhead implements SequentialReader {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #areas: DirectAreas;
  /** Each behind the one before. */
  readonly #stretches: Stretch[] = [];

  /** Owns `handle`. Nothing behind the first `size` bytes is read. */
  constructor(path: string, handle: FileHandle, { size, areas }: { size: number; areas: DirectAreas }) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
    this.#areas = areas;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return translated(this.path, async () => {
      let done = 0;
      while (done < target.length && position + done < this.#size) {
        const { at, area, filled } = await this.#moveTo(position + done);
        const from = position + done - at;
        const piece = area.subarray(from, Math.min(await filled, from + target.length - done));
        if (piece.length === 0) break;
        target.set(piece, done);
        done += piece.length;
      }
      return done;
    });
  }

  async close(): Promise<void> {
    await this.#forget(this.#stretches.length);
    await translated(this.path, () => this.#handle.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The stretch that has `position`; those before it are forgotten, and those behind it are on their way. */
  async #moveTo(position: number): Promise<Stretch> {
    const at = position - (position % AREA_BYTES);
    const index = this.#stretches.findIndex((stretch) => stretch.at === at);
    await this.#forget(index === -1 ? this.#stretches.length : index);
    while (this.#stretches.length < AREAS_AHEAD) {
      const last = this.#stretches.at(-1);
      const next = last === undefined ? at : last.at + AREA_BYTES;
      if (next >= this.#size) break;
      this.#stretches.push(this.#begin(next));
    }
    return this.#stretches[0]!;
  }

  #begin(at: number): Stretch {
    const area = this.#areas.take();
    const filled = this.#fill(area, at);
    // Whoever comes to the stretch is told.
    filled.catch(() => {});
    return { at, area, filled };
  }

  /** A read may end early; one that ends within a block has come to the end of the file. */
  async #fill(area: Uint8Array, at: number): Promise<number> {
    let filled = 0;
    while (filled < area.length && at + filled < this.#size) {
      const { bytesRead } = await this.#handle.read(area, filled, area.length - filled, at + filled);
      filled += bytesRead;
      if (bytesRead === 0 || bytesRead % BLOCK_BYTES !== 0) break;
    }
    return filled;
  }

  /** Lets go of the first `count` stretches, once nothing is read into them any more. */
  async #forget(count: number): Promise<void> {
    for (const { area, filled } of this.#stretches.splice(0, count)) {
      await filled.catch(() => {});
      this.#areas.giveBack(area);
    }
  }
}
