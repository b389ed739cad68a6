import type { StoredFile } from '@elanus/model';
import type { ObjectStore } from '@elanus/object-store';
import type { Clock } from '@elanus/runtime';

/** Files that nobody refers to any more, kept for a while as the last copy of what was there before. */
export class ReplacedFiles {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #graceMs: number;
  #kept: { readonly keys: readonly string[]; readonly dueMs: number }[] = [];

  constructor(options: { readonly store: ObjectStore; readonly clock: Clock; readonly graceMs: number }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#graceMs = options.graceMs;
  }

  /** Keeps files from now on for as long as such files are kept. */
  add(files: readonly StoredFile[]): void {
    this.#kept.push({ keys: files.map(({ key }) => key), dueMs: this.#clock.nowMs() + this.#graceMs });
  }

  /** Whether a file was replaced so lately that it is to be kept. */
  isKept(key: string): boolean {
    return this.#kept.some(({ keys }) => keys.includes(key));
  }

  /** Deletes those whose time is over. @throws what the store throws */
  async removeDue(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const due = this.#kept.filter(({ dueMs }) => dueMs <= nowMs);
    this.#kept = this.#kept.filter(({ dueMs }) => dueMs > nowMs);
    for (const { keys } of due) await this.#store.deleteMany(keys, { signal });
  }
}
