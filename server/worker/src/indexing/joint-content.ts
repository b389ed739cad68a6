import { assert } from '@elanus/model';
import type { UsedFile } from '@elanus/segment';

/** Several files that are used together, as an index and the vectors that it compares. */
export class JointContent implements UsedFile {
  readonly isLasting = false;
  readonly #files: readonly UsedFile[];
  readonly #onEnd: () => void;
  /** The first is the opener's. */
  #uses = 1;
  #isOpeners = true;
  #isReleased = false;

  /** All files are used, once for this. `onEnd` is called when this was released and nobody uses it any more. */
  constructor(files: readonly UsedFile[], onEnd: () => void) {
    this.#files = files;
    this.#onEnd = onEnd;
  }

  get isThere(): boolean {
    return this.#files.every(({ isThere }) => isThere);
  }

  use(): Promise<void> | null {
    assert(!this.#isReleased, 'what was released is not used');
    this.#uses += 1;
    const coming = this.#files.map((file) => file.use());
    return coming.every((one) => one === null) ? null : this.#allOf(coming);
  }

  leave(): void {
    this.#isOpeners = false;
    for (const file of this.#files) file.leave();
    this.#end();
  }

  /** It is not begun to be used any more. Idempotent. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#isOpeners) this.leave();
    else if (this.#uses === 0) this.#onEnd();
  }

  #end(): void {
    this.#uses -= 1;
    if (this.#uses === 0 && this.#isReleased) this.#onEnd();
  }

  /** When one can't be used none is. */
  async #allOf(coming: readonly (Promise<void> | null)[]): Promise<void> {
    const outcomes = await Promise.allSettled(coming);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed === undefined) return;
    for (const [at, { status }] of outcomes.entries()) if (status === 'fulfilled') this.#files[at]!.leave();
    this.#end();
    throw (failed as PromiseRejectedResult).reason;
  }
}
