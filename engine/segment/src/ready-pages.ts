import { reservePages } from '@elanus/kernel';

/** Most bytes that are made ready beyond those that are written. */
const AHEAD_BYTES_MAX = 4 * 1024 * 1024;
/** Fewer are not worth the way to another thread. */
const AHEAD_BYTES_MIN = 128 * 1024;

/**
 * Memory that is written from its beginning on gets its next pages on another thread, while a write waits for its disk:
 * on a virtual machine the first touch of a page takes longer than the copy into it. Never more than has been written
 * already, so that what holds few rows stays small.
 */
export class ReadyPages {
  readonly #reserve: (bytes: Uint8Array) => Promise<void>;
  #bytes: Uint8Array | null = null;
  #readyTo = 0;

  /** `reserve` never fails. */
  constructor(reserve: (bytes: Uint8Array) => Promise<void> = reservePages) {
    this.#reserve = reserve;
  }

  /** Bytes `0 .. used` of `bytes` have been written. */
  written(bytes: Uint8Array, used: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#readyTo = 0;
    }
    const from = Math.max(used, this.#readyTo);
    const to = Math.min(bytes.length, used + Math.min(used, AHEAD_BYTES_MAX));
    if (to - from < AHEAD_BYTES_MIN) return;
    this.#readyTo = to;
    void this.#reserve(bytes.subarray(from, to));
  }
}
