import type { NativeKernel } from './native.ts';

type View = Parameters<NativeKernel['addressOf']>[0];

/** Remembers where the bytes of typed arrays are. */
export class Addresses {
  readonly #native: NativeKernel;
  readonly #known = new WeakMap<View, number>();

  constructor(native: NativeKernel) {
    this.#native = native;
  }

  /**
   * A call into the library costs as much as ten look-ups, and blocks are searched many times.
   * @throws TypeError for a resizable buffer
   */
  of(view: View): number {
    const known = this.#known.get(view);
    if (known !== undefined) return known;
    // Memory of a buffer that shrinks would be gone in the middle of a search.
    if (view.buffer instanceof ArrayBuffer && view.buffer.resizable)
      throw new TypeError('the kernel takes no resizable buffers');
    const address = this.#native.addressOf(view);
    this.#known.set(view, address);
    return address;
  }
}
