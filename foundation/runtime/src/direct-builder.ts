import type { FileHandle } from 'node:fs/promises';
import { BLOCK_BYTES, type DirectAreas } from './direct-areas.ts';
import { DirectFile } from './direct-file.ts';
import type { FileBuilder } from './disk.ts';
import { translated } from './disk-errors.ts';

/**
 * Writes a new file past the page cache (O_DIRECT): no pages have to be found for bytes that nobody reads at once, and the
 * disk has them before it is asked to sync.
 */
export class DirectBuilder extends DirectFile implements FileBuilder {
  readonly #areas: DirectAreas;
  /** What is filled next, and how far it is. */
  #area: Uint8Array | null = null;
  #filled = 0;
  /** Where in the file the area will be: a multiple of its size. */
  #at = 0;
  /** Of the area before. */
  #writing: Promise<void> = Promise.resolve();

  /** `handle` is open for direct writing, its file is empty; owns it. */
  constructor(path: string, handle: FileHandle, areas: DirectAreas) {
    super(path, handle);
    this.#areas = areas;
  }

  add(piece: Uint8Array): Promise<void> {
    return translated(this.path, async () => {
      for (let from = 0; from < piece.length; ) {
        this.#area ??= this.#areas.take();
        const part = piece.subarray(from, from + this.#area.length - this.#filled);
        this.#area.set(part, this.#filled);
        this.#filled += part.length;
        from += part.length;
        if (this.#filled === this.#area.length) await this.#begin(this.#area, this.#area.length);
      }
    });
  }

  finish(): Promise<void> {
    return translated(this.path, async () => {
      const length = this.#at + this.#filled;
      if (this.#area !== null) {
        const blocks = Math.ceil(this.#filled / BLOCK_BYTES) * BLOCK_BYTES;
        this.#area.fill(0, this.#filled, blocks);
        await this.#begin(this.#area, blocks);
      }
      await this.#writing;
      await this.handle.truncate(length);
      await this.handle.sync();
    });
  }

  override async close(): Promise<void> {
    // Nothing may be read from memory that is somebody else's by then.
    await this.#writing.catch(() => {});
    if (this.#area !== null) this.#areas.giveBack(this.#area);
    this.#area = null;
    await super.close();
  }

  /** Writes the first `length` bytes of an area, once the one before is written; the next can be filled meanwhile. */
  async #begin(area: Uint8Array, length: number): Promise<void> {
    this.#area = null;
    const at = this.#at;
    this.#at += length;
    this.#filled = 0;
    const before = this.#writing;
    this.#writing = before
      .then(() => this.writeBlocks(area.subarray(0, length), at))
      .finally(() => this.#areas.giveBack(area));
    // Whoever adds more, finishes or closes waits for it.
    this.#writing.catch(() => {});
    await before;
  }
}
