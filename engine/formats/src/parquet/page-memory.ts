/** What is larger is not kept: writers make pages of a mebibyte. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
const KEPT_MAX = 16;

/** Memory of pages that is used again: fresh memory costs as much as what is written into it. */
export class PageMemory {
  readonly #kept: ArrayBuffer[] = [];

  /** Memory of this length, with whatever it held before. */
  take(length: number): Uint8Array {
    const fitting = this.#kept.findIndex(
      ({ byteLength }) => byteLength >= length && byteLength <= 4 * length,
    );
    const [kept] = fitting < 0 ? [] : this.#kept.splice(fitting, 1);
    return new Uint8Array(kept ?? new ArrayBuffer(length), 0, length);
  }

  /** Gives back memory that was taken here, and that nobody reads any more. */
  give({ buffer }: Uint8Array): void {
    if (buffer.byteLength <= KEPT_BYTES_MAX && this.#kept.length < KEPT_MAX)
      this.#kept.push(buffer as ArrayBuffer);
  }
}
