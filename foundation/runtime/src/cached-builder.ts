import type { DiskFile, FileBuilder } from './disk.ts';

/** Bytes of one write. */
const WRITE_BYTES = 4 * 1024 * 1024;
/** What the system holds back must not delay others for long. */
const SYNC_BYTES = 64 * 1024 * 1024;

/** Writes a new file through the page cache, where whoever reads it soon finds it. */
export class CachedBuilder implements FileBuilder {
  readonly #file: DiskFile;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #written = 0;
  /** Of the bytes that were gathered last. */
  #writing: Promise<void> = Promise.resolve();

  /** `file` is open to be built, and empty; owns it. */
  constructor(file: DiskFile) {
    this.#file = file;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#gathered.push(piece.buffer instanceof SharedArrayBuffer ? piece : piece.slice());
    this.#gatheredBytes += piece.length;
    if (this.#gatheredBytes >= WRITE_BYTES) await this.#begin();
  }

  async finish(): Promise<void> {
    await this.#begin();
    await this.#writing;
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Writes what was gathered, once what was before it is written; more can be gathered meanwhile. */
  async #begin(): Promise<void> {
    await this.#writing;
    const [pieces, from] = [this.#gathered, this.#written];
    this.#written += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const isFull = Math.floor(this.#written / SYNC_BYTES) > Math.floor(from / SYNC_BYTES);
    this.#writing = this.#file.write(pieces, from).then(() => (isFull ? this.#file.sync() : undefined));
    // Whoever adds more, or finishes, hears of it.
    this.#writing.catch(() => {});
  }
}
