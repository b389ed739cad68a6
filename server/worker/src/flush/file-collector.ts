import { listAll, type ObjectStore } from '@elanus/object-store';
import type { SegmentCatalog } from '@elanus/rpc';
import type { Clock, Logger } from '@elanus/runtime';

/** Files deleted with one request. */
const DELETED_AT_ONCE = 100;

/**
 * Deletes files that nothing refers to: what flushes have left that a crash has ended, or whose collection was dropped.
 * A file of a flush under way is young, so nothing younger than the grace time is touched; nor is what belongs to
 * records of the catalog that can't be read.
 */
export class FileCollector {
  readonly #store: ObjectStore;
  readonly #catalog: SegmentCatalog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #graceMs: number;
  readonly #isKept: (key: string) => boolean;

  constructor(options: {
    readonly store: ObjectStore;
    readonly catalog: SegmentCatalog;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly graceMs: number;
    /** Whether somebody else looks after a file. */
    readonly isKept?: (key: string) => boolean;
  }) {
    this.#store = options.store;
    this.#catalog = options.catalog;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#graceMs = options.graceMs;
    this.#isKept = options.isKept ?? (() => false);
  }

  /** Goes through all files below `prefix` once; resolves to how many it deleted. */
  async collect(signal: AbortSignal, prefix = 'collection-'): Promise<number> {
    let deleted = 0;
    let keys: string[] = [];
    const deleteThem = async (): Promise<void> => {
      if (keys.length === 0) return;
      await this.#store.deleteMany(keys, { signal });
      this.#logger.info({ files: keys.length, first: keys[0] }, 'deleted files that nothing refers to');
      deleted += keys.length;
      keys = [];
    };
    for await (const { key, modifiedMs } of listAll(this.#store, prefix, { signal })) {
      const isOld = modifiedMs + this.#graceMs <= this.#clock.nowMs();
      if (isOld && !this.#isKept(key) && this.#catalog.standingOf(key) === 'unreferenced') keys.push(key);
      if (keys.length >= DELETED_AT_ONCE) await deleteThem();
    }
    await deleteThem();
    return deleted;
  }
}
