import type { Appender } from '@elanus/runtime';

/** Closes the files of channels that have not been written for the longest time. */
export class FileHandles {
  readonly #idleMax: number;
  /** In the order in which they became idle. */
  readonly #idle = new Set<() => void>();

  /** Keeps at most `idleMax` files open that nobody writes to. */
  constructor(idleMax: number) {
    this.#idleMax = idleMax;
  }

  /** From now until `busy(close)`, `close` may be called, once, at any time. */
  idle(close: () => void): void {
    this.#idle.add(close);
    if (this.#idle.size <= this.#idleMax) return;
    const [longest] = this.#idle;
    if (longest === undefined) return;
    this.#idle.delete(longest);
    longest();
  }

  busy(close: () => void): void {
    this.#idle.delete(close);
  }
}

/** What was written is durable already: nothing can be lost by a close that fails. */
export async function closeQuietly(handle: Appender): Promise<void> {
  await handle.close().catch(() => {});
}
