import type { FileHandle } from 'node:fs/promises';
import { BLOCK_BYTES, type DirectAreas } from './direct-areas.ts';
import { DirectFile } from './direct-file.ts';
import type { Appender } from './disk.ts';
import { translated } from './disk-errors.ts';

/**
 * Writes past the page cache (O_DIRECT), because nobody reads soon what is appended to a log, and pages for it are not to
 * be had for nothing: appends of 512 KB reached 1.3 times the speed of the page cache where pages were at hand, and 5
 * times where the machine had to find them (docs/decisions/0055).
 */
export class DirectAppender extends DirectFile implements Appender {
  readonly #areas: DirectAreas;
  /** The bytes of the block in which the last write ended, which the next one writes again; `null` when they are not known. */
  #lastBlock: { readonly at: number; readonly bytes: Uint8Array } | null = null;

  /** `handle` is open for direct, synchronous reading and writing. */
  constructor(path: string, handle: FileHandle, areas: DirectAreas) {
    super(path, handle);
    this.#areas = areas;
  }

  writeDurably(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return translated(this.path, () =>
      this.#areas.lend((area) => this.#writeThrough(area, buffers, position)),
    );
  }

  async #writeThrough(area: Uint8Array, buffers: readonly Uint8Array[], position: number): Promise<void> {
    let filled = position % BLOCK_BYTES;
    let at = position - filled;
    await this.#fillFirstBlock(area, at, filled);
    this.#lastBlock = null;
    for (const buffer of buffers) {
      for (let from = 0; from < buffer.length; ) {
        const piece = buffer.subarray(from, from + area.length - filled);
        area.set(piece, filled);
        filled += piece.length;
        from += piece.length;
        if (filled < area.length) continue;
        await this.writeBlocks(area, at);
        at += filled;
        filled = 0;
      }
    }
    const whole = filled - (filled % BLOCK_BYTES);
    if (filled > whole) area.fill(0, filled, whole + BLOCK_BYTES);
    if (filled > 0)
      await this.writeBlocks(area.subarray(0, Math.ceil(filled / BLOCK_BYTES) * BLOCK_BYTES), at);
    this.#lastBlock = { at: at + whole, bytes: area.slice(whole, filled) };
  }

  /** Puts the `count` bytes that the file holds from `at` on to the front of `area`. */
  async #fillFirstBlock(area: Uint8Array, at: number, count: number): Promise<void> {
    if (count === 0) return;
    if (this.#lastBlock?.at === at && this.#lastBlock.bytes.length === count) {
      area.set(this.#lastBlock.bytes);
      return;
    }
    const { bytesRead } = await this.handle.read(area, 0, BLOCK_BYTES, at);
    if (bytesRead < count) area.fill(0, bytesRead, count);
  }

  override truncate(length: number): Promise<void> {
    this.#lastBlock = null;
    return super.truncate(length);
  }
}
