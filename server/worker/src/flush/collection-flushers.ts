import { collectionFolder, physicalMs, type StoredFile } from '@elanus/model';
import { listAll } from '@elanus/object-store';
import type { FlushPoint } from '@elanus/rpc';
import type { ServedCollection } from '../served-collection.ts';
import type { ServedCollections } from '../served-collections.ts';
import { CollectionFlusher, type FlushContext } from './collection-flusher.ts';
import { FileCollector } from './file-collector.ts';
import { reasonToSeal, type SealLimits } from './seal-policy.ts';

/** How long files that nothing refers to are kept, and how often they are looked for. */
export interface CollectLimits {
  readonly graceMs: number;
  readonly intervalMs: number;
}

/** Milvus' own figures. */
export const COLLECT_LIMITS_DEFAULT: CollectLimits = { graceMs: 86_400_000, intervalMs: 3_600_000 };

export interface CollectionFlushersOptions extends FlushContext {
  readonly collections: ServedCollections;
  readonly limits: SealLimits;
  readonly collect: CollectLimits;
  /** Whether a file that nothing refers to is to be kept a while. */
  readonly isKept: (key: string) => boolean;
}

/** The flushes of all collections, those that are asked for and those that size and age ask for. */
export class CollectionFlushers {
  readonly #options: CollectionFlushersOptions;
  readonly #collector: FileCollector;
  readonly #flushers = new Map<ServedCollection, CollectionFlusher>();
  readonly #closing = new AbortController();
  #tasks: readonly Promise<void>[] = [];
  readonly #removals = new Set<Promise<void>>();

  constructor(options: CollectionFlushersOptions) {
    this.#options = options;
    const { store, catalog, clock, logger } = options;
    const { isKept, collect } = options;
    this.#collector = new FileCollector({ store, catalog, clock, logger, graceMs: collect.graceMs, isKept });
  }

  /** Begins to look after rows that should go to files, and after files that nobody needs. */
  start(): void {
    const { collect, limits } = this.#options;
    this.#tasks = [
      this.#repeat(limits.intervalMs, () => this.#sealWhatShould()),
      this.#repeat(
        collect.intervalMs,
        async () => void (await this.#collector.collect(this.#closing.signal)),
      ),
    ];
  }

  of(collection: ServedCollection): CollectionFlusher {
    const known = this.#flushers.get(collection);
    if (known !== undefined) return known;
    const flusher = new CollectionFlusher(collection, this.#options);
    this.#flushers.set(collection, flusher);
    return flusher;
  }

  /** As that of one collection. */
  async flush(collection: ServedCollection): Promise<FlushPoint> {
    return await this.of(collection).flush();
  }

  /**
   * Ends the flushes of a dropped collection and deletes its files, in the background: a flush that is being published
   * waits for whoever drops. What is left after a failure is collected later.
   */
  drop(collection: ServedCollection): void {
    const { store } = this.#options;
    const { signal } = this.#closing;
    const removal = this.#best(async () => {
      await this.#flushers.get(collection)?.close();
      this.#flushers.delete(collection);
      const keys: string[] = [];
      const folder = collectionFolder(collection.info.id);
      for await (const { key } of listAll(store, folder, { signal })) keys.push(key);
      await store.deleteMany(keys, { signal });
    }).finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** Deletes files that nobody refers to any more. What is left after a failure is collected later. */
  async removeFiles(files: readonly StoredFile[]): Promise<void> {
    if (files.length === 0) return;
    const { signal } = this.#closing;
    await this.#best(() =>
      this.#options.store.deleteMany(
        files.map(({ key }) => key),
        { signal },
      ),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the worker closes'));
    await Promise.all([...this.#flushers.values()].map((flusher) => flusher.close()));
    await Promise.all([...this.#tasks, ...this.#removals]);
  }

  async #sealWhatShould(): Promise<void> {
    const { collections, clock, limits, logger } = this.#options;
    for (const collection of collections.all()) {
      const { oldestUnsealed, appliedTimestamp, isServing } = collection;
      if (oldestUnsealed === null || !isServing || this.#flushers.get(collection)?.isFlushing) continue;
      const rows = {
        bytes: Math.max(...collection.shards.map((shard) => shard.unsealedBytes)),
        logBytes: collection.unsealedLogBytes,
        oldestMs: physicalMs(oldestUnsealed),
        newestMs: physicalMs(appliedTimestamp),
      };
      const reason = reasonToSeal(rows, limits, clock.nowMs());
      if (reason === null) continue;
      try {
        await this.flush(collection);
      } catch (error) {
        logger.warn(
          { collection: String(collection.info.id), reason, err: error },
          'a flush could not begin',
        );
      }
    }
  }

  async #best(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'files stay until they are collected');
    }
  }

  /** Failures are the world's, and may be over the next time. */
  async #repeat(intervalMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#options.clock.sleep(intervalMs, { signal });
        await work();
      } catch (error) {
        if (!signal.aborted) this.#options.logger.warn({ err: error }, 'the care of files was put off');
      }
    }
  }
}
