import type { MetaChange, MetaStore } from './meta-store.ts';

/** A meta store for tests: lives as long as the object, whole commits only. */
export class MemoryMetaStore implements MetaStore {
  readonly #pairs = new Map<string, Uint8Array>();

  get(key: string): Promise<Uint8Array | undefined> {
    const value = this.#pairs.get(key);
    return Promise.resolve(value && new Uint8Array(value));
  }

  scan(prefix: string): Promise<readonly (readonly [key: string, value: Uint8Array])[]> {
    const keys = [...this.#pairs.keys()].filter((key) => key.startsWith(prefix)).sort();
    return Promise.resolve(keys.map((key) => [key, new Uint8Array(this.#pairs.get(key)!)] as const));
  }

  commit(changes: readonly MetaChange[]): Promise<void> {
    for (const { key, value } of changes) {
      if (value === null) this.#pairs.delete(key);
      else this.#pairs.set(key, new Uint8Array(value));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
