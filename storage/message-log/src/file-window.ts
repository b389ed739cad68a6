import type { SequentialReader } from '@elanus/runtime';

/** A stretch of a file in memory that moves along with a reader. */
export class FileWindow {
  readonly #file: Pick<SequentialReader, 'read'>;
  readonly #end: number;
  #at = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #lent: Buffer = Buffer.alloc(0);

  /** Nothing at or behind `end` is looked at. */
  constructor(file: Pick<SequentialReader, 'read'>, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /** The bytes from `position`: at least `needed` of them unless the file ends first. Valid until the next call. */
  async from(position: number, needed: number, chunkBytes: number): Promise<Buffer> {
    const wanted = Math.min(needed, this.#end - position);
    const offset = position - this.#at;
    if (offset < 0 || offset + wanted > this.#bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(wanted, chunkBytes), this.#end - position));
      const read = await this.#file.read(bytes, position);
      this.#bytes = bytes.subarray(0, read);
      this.#at = position;
      return this.#bytes;
    }
    return this.#bytes.subarray(offset);
  }

  /** `length` bytes from `position`, fewer only if the file ends. Valid until the next call of this. */
  async lend(position: number, length: number): Promise<Buffer> {
    if (this.#lent.length < length) this.#lent = Buffer.allocUnsafeSlow(length);
    const target = this.#lent.subarray(0, length);
    const offset = position - this.#at;
    const held = offset >= 0 && offset < this.#bytes.length ? this.#bytes.copy(target, 0, offset) : 0;
    if (held === length) return target;
    const read = await this.#file.read(target.subarray(held), position + held);
    return target.subarray(0, held + read);
  }
}
