import type { Kernel } from '@elanus/kernel';
import {
  type CollectionId,
  fieldById,
  type IndexId,
  type IndexInfo,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import type { IndexProgress, IndexWorker } from '@elanus/rpc';
import {
  type Clock,
  ConcurrencyLimit,
  type Logger,
  type LoopShare,
  type Metrics,
  type Random,
  systemRandom,
} from '@elanus/runtime';
import {
  FilesInUse,
  type IndexedPiece,
  type IndexLimits,
  type KeptRows,
  openChunks,
  type PieceLimits,
  type PlannedPiece,
  presentRows,
  type SegmentIndex,
  type Shard,
  VectorLoan,
} from '@elanus/segment';
import { beginCollection } from '../files/begin-collection.ts';
import type { ServedCollection } from '../served-collection.ts';
import type { ServedCollections } from '../served-collections.ts';
import type { IndexFiles } from './index-files.ts';
import { type IndexMetrics, registerIndexMetrics } from './index-metrics.ts';
import { indexSpecOf } from './index-spec.ts';
import { type MappedIndex, mappedIndexes } from './mapped-indexes.ts';
import { OpenIndex, type RunningBuild } from './open-index.ts';
import { restorePieces } from './restore-pieces.ts';
import { ScalarIndexBuilder } from './scalar-index-builder.ts';
import { scalarSpecOf } from './scalar-spec.ts';
import { buildOf, specToBuild } from './spec-to-build.ts';
import { TextIndexes } from './text-indexes.ts';
import { verifyPieces } from './verify-pieces.ts';

/** Writes that pause for so long count as at rest. */
const REST_MS = 5_000;
/** Who opens an index, or reads rows that have just come back, waits for its files for so long. */
const RESTORE_MS = 1_000;
/** An index in memory of so many bytes is worth a collection of garbage when its file takes its place. */
const GARBAGE_BYTES = 8 * 1024 * 1024;
/** Progress is logged at every so many percent. */
const LOGGED_PERCENT = 25;

/** What of the kernel builds indexes. */
export type IndexKernel = Pick<Kernel, 'threads' | 'buildIndex'>;

export interface IndexWorkerOptions {
  /** Those of the streaming worker of the same process, as is `share`. */
  readonly collections: ServedCollections;
  readonly share: LoopShare;
  readonly kernel: IndexKernel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Builds at once. */
  readonly buildsMax: number;
  readonly limits?: IndexLimits;
  readonly scalarLimits?: PieceLimits;
  /** What vector indexes, and the vectors that they compare, are to take at most; AUTOINDEX keeps to it. Default: no limit. */
  readonly memoryBytesMax?: number;
  /** Where indexes over sealed rows are kept; left out: in memory only. */
  readonly indexFiles?: IndexFiles;
  /** Default: the system's. */
  readonly random?: Random;
}

export function openIndexWorker(options: IndexWorkerOptions): BackgroundIndexWorker {
  return new BackgroundIndexWorker(options);
}

/**
 * Builds indexes over the rows that the streaming worker of the same process holds, on the kernel's threads of low
 * priority: when there are rows enough without one, and once more when writes are at rest and there are several pieces.
 */
export class BackgroundIndexWorker implements IndexWorker, AsyncDisposable {
  readonly #options: IndexWorkerOptions;
  readonly #limit: ConcurrencyLimit;
  readonly #metrics: IndexMetrics;
  readonly #open = new Map<IndexId, OpenIndex>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #scalars: ScalarIndexBuilder;
  #isWatching = false;

  constructor(options: IndexWorkerOptions) {
    this.#options = options;
    this.#limit = new ConcurrencyLimit(options.buildsMax);
    const { scalarLimits: limits, random = systemRandom } = options;
    this.#scalars = new ScalarIndexBuilder({
      ...options,
      random,
      ...(limits === undefined ? {} : { limits }),
    });
    const texts = new TextIndexes(this.#scalars);
    options.collections.watch((collection) => {
      if (texts.follow(collection)) this.#watch(collection);
    });
    const all = () => [...this.#open.values()];
    this.#metrics = registerIndexMetrics(options.metrics, {
      running: () => all().flatMap(({ running }) => [...running].map(({ percent }) => percent)),
      waiting: () => all().reduce((sum, { scheduled, running }) => sum + scheduled.size - running.size, 0),
      pieces: () =>
        all().flatMap(({ segments }) =>
          segments.flatMap(({ pieces }) =>
            pieces.map(({ rows, index: { memoryBytes, layout } }) => ({ rows, memoryBytes, layout })),
          ),
        ),
    });
  }

  async openIndex(info: IndexInfo): Promise<void> {
    const collection = this.#options.collections.find(info.collectionId);
    if (collection === undefined || this.#open.has(info.id)) return;
    if (info.metricType === null) {
      const spec = scalarSpecOf(info, collection.info.schema);
      if (spec === null) return;
      this.#scalars.open(info, collection, spec);
      this.#watch(collection);
      return;
    }
    const field = fieldById(collection.info.schema, info.fieldId);
    const spec = field === undefined ? null : indexSpecOf(info, field);
    if (field === undefined || spec === null || info.metricType === null) return;
    const index = new OpenIndex(info, { field, spec, collection, limits: this.#options.limits ?? {} });
    this.#open.set(info.id, index);
    this.#watch(collection);
    await this.#restore(index);
    this.#consider(index);
  }

  /**
   * Uses what files have. Most are there at once; what takes long, as from a bucket or for a collection whose rows come
   * back, goes on behind the others.
   */
  async #restore(index: OpenIndex): Promise<void> {
    const { indexFiles, clock, logger, share } = this.#options;
    if (indexFiles === undefined) return;
    const { collection } = index;
    const wasComingBack = collection.isComingBack;
    index.isRestoring = true;
    const rowsAreBack = collection.replayed();
    const restored = rowsAreBack
      .then(() => restorePieces(index, { indexFiles, logger, share }))
      .finally(() => {
        index.isRestoring = false;
        this.#consider(index);
      });
    const onDiscard = (): void => this.#consider(index);
    this.#start(restored.then(() => verifyPieces(index, { clock, logger, onDiscard })));
    const opened = rowsAreBack.then(() => Promise.race([restored, clock.sleep(RESTORE_MS)])).catch(() => {});
    if (wasComingBack) collection.holdFor(opened);
    else await opened;
  }

  #watch(collection: ServedCollection): void {
    const { id } = collection.info;
    collection.watcher = {
      chunksBegun: () => this.#considerAll(id),
      handedOver: () => this.#considerAll(id),
      dropped: () => this.#closeAll(id),
    };
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#start(this.#watchRest());
  }

  async closeIndex(info: IndexInfo): Promise<void> {
    this.#scalars.close(info);
    this.#open.get(info.id)?.close();
    this.#open.delete(info.id);
  }

  async indexProgress(info: IndexInfo, at: Timestamp): Promise<IndexProgress> {
    const index = this.#open.get(info.id);
    if (index === undefined)
      return this.#scalars.progress(info, at) ?? { pendingRows: 0n, pendingRowsThen: 0n, failReason: null };
    return {
      pendingRows: BigInt(index.pendingRows(TIMESTAMP_MAX)),
      pendingRowsThen: BigInt(index.pendingRows(at)),
      failReason: index.failReason,
    };
  }

  /** The indexes of a collection that are used from files. */
  mappedIndexes(id: CollectionId): readonly MappedIndex[] {
    const { indexFiles } = this.#options;
    if (indexFiles === undefined) return [];
    const open = [...this.#open.values()].filter(({ info }) => info.collectionId === id);
    return [...open.flatMap((index) => mappedIndexes(index, indexFiles)), ...this.#scalars.mapped(id)];
  }

  /** Stops all builds and frees all indexes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const { info } of [...this.#open.values()]) await this.closeIndex(info);
    await this.#scalars[Symbol.asyncDispose]();
    await Promise.all(this.#tasks);
  }

  #considerAll(id: CollectionId): void {
    for (const index of this.#open.values()) if (index.info.collectionId === id) this.#consider(index);
    this.#scalars.considerAll(id);
  }

  #closeAll(id: CollectionId): void {
    for (const { info } of [...this.#open.values()]) if (info.collectionId === id) void this.closeIndex(info);
    this.#scalars.closeAll(id);
  }

  /** Schedules a build for every segment that has one to do where no write has come for `restMs`. */
  #consider(index: OpenIndex, restMs = 0): void {
    if (index.isRestoring || index.signal.aborted) return;
    for (const { shard, segment } of index.places) {
      if (index.scheduled.has(segment)) continue;
      const planned = segment.nextPiece(restMs);
      if (planned !== null && planned.rows >= 2 * (index.failedRows.get(segment) ?? 0)) {
        index.scheduled.add(segment);
        this.#start(this.#limit.run(() => this.#buildNext(index, segment, restMs)));
      } else if (this.#options.indexFiles !== undefined && segment.pieces.some(isToStore(shard))) {
        index.scheduled.add(segment);
        this.#start(this.#limit.run(() => this.#storeNext(index, shard, segment)));
      }
    }
  }

  /** Moves one index to a file. While this runs the segment's pieces stay as they are. */
  async #storeNext(index: OpenIndex, shard: Shard, segment: SegmentIndex): Promise<void> {
    const { info, field } = index;
    const piece = segment.pieces.find(isToStore(shard));
    const runs = piece === undefined ? null : shard.segmentRunsOf(piece.runs);
    using use = new FilesInUse();
    try {
      if (piece === undefined || runs === null || index.signal.aborted) return;
      piece.endLoan();
      const kept = piece.runs.filter((run): run is KeptRows => run.chunk !== null);
      await openChunks(
        kept.map(({ chunk }) => chunk),
        use,
      );
      const place = { collectionId: info.collectionId, indexId: info.id, fieldId: field.id };
      const replaced = [...piece.replacedFiles, ...index.uselessFiles];
      const vectors = { runs: kept, field, rows: piece.rows };
      const opened = await this.#options.indexFiles!.store(piece.index, vectors, {
        ...place,
        runs,
        replaced,
        recalls: piece.recalls.known,
      });
      index.uselessFiles.length = 0;
      if (piece.isClosed) {
        opened.index.close();
        opened.file.release();
      } else {
        const { memoryBytes } = piece.index;
        piece.moveTo(opened.index, opened.file);
        // The vectors go with the index that was a view of them: both are in memory twice until then.
        if (memoryBytes >= GARBAGE_BYTES) beginCollection();
      }
    } catch (error) {
      if (index.signal.aborted) return;
      this.#options.logger.warn({ index: info.name, err: error }, 'an index could not be written to a file');
      return;
    } finally {
      index.scheduled.delete(segment);
    }
    this.#consider(index);
  }

  /** Its turn has come: rows may have been added since, or dropped. */
  async #buildNext(index: OpenIndex, segment: SegmentIndex, restMs: number): Promise<void> {
    try {
      const planned = segment.nextPiece(restMs);
      if (planned !== null && !index.signal.aborted) await this.#build(index, segment, planned);
    } finally {
      index.scheduled.delete(segment);
    }
    if (!index.signal.aborted) this.#consider(index);
  }

  async #build(index: OpenIndex, segment: SegmentIndex, planned: PlannedPiece): Promise<void> {
    const { clock, kernel, logger, share, memoryBytesMax = Number.POSITIVE_INFINITY } = this.#options;
    const { info, field } = index;
    const spec = specToBuild(index, planned, this.#open.values(), memoryBytesMax);
    const about = {
      collection: String(info.collectionId),
      name: index.collection.info.name,
      index: info.name,
      field: field.name,
      rows: planned.rows,
    };
    const build: RunningBuild = { newRows: planned.newRows, percent: 0 };
    index.running.add(build);
    const startMs = clock.monotonicMs();
    logger.info(
      { ...about, newRows: planned.newRows, pieces: planned.replaced.length, spec },
      'an index build starts',
    );
    let loan: VectorLoan | null = null;
    const use = new FilesInUse();
    try {
      await openChunks(
        planned.runs.map(({ chunk }) => chunk),
        use,
      );
      loan = new VectorLoan(planned);
      const onProgress = (percent: number): void => {
        if (
          Math.floor(percent / LOGGED_PERCENT) > Math.floor(build.percent / LOGGED_PERCENT) &&
          percent < 100
        )
          logger.info({ ...about, percent: Math.floor(percent) }, 'an index build goes on');
        build.percent = percent;
      };
      const built = await kernel.buildIndex({
        ...buildOf(index, planned, spec),
        threads: kernel.threads,
        signal: index.signal,
        onProgress,
      });
      segment.adopt(planned, built, await presentRows(planned, share), { loan, use });
      const seconds = (clock.monotonicMs() - startMs) / 1000;
      const labels = { index_type: info.indexType, built_as: spec.type, layout: built.layout };
      this.#metrics.built.inc(labels);
      this.#metrics.rowsBuilt.inc(labels, planned.rows);
      this.#metrics.buildSeconds.observe(labels, seconds);
      index.failReason = null;
      const outcome = { seconds, layout: built.layout, memoryBytes: built.memoryBytes };
      logger.info({ ...about, ...outcome }, 'an index build has ended');
    } catch (error) {
      loan?.end();
      use[Symbol.dispose]();
      if (index.signal.aborted) return;
      index.failReason = error instanceof Error ? error.message : String(error);
      index.failedRows.set(segment, planned.rows);
      this.#metrics.failed.inc({ index_type: info.indexType });
      logger.error({ ...about, err: error }, 'an index build has failed');
    } finally {
      index.running.delete(build);
    }
  }

  /** Puts pieces together wherever writes have come to rest. */
  async #watchRest(): Promise<void> {
    const { signal } = this.#closing;
    const { clock } = this.#options;
    try {
      while (true) {
        await clock.sleep(REST_MS, { signal });
        for (const index of this.#open.values()) {
          const restMs = index.restMs(clock.monotonicMs());
          if (restMs > 0 && index.scheduled.size === 0) this.#consider(index, restMs);
        }
        this.#scalars.considerAtRest();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Keeps work in mind until it ends; a failure here is a mistake of ours. */
  #start(work: Promise<void>): void {
    const task = work.catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'the work on an index broke off');
    });
    this.#tasks.add(task);
    void task.then(() => this.#tasks.delete(task));
  }
}

/** Whether an index is in memory although all its rows are in files. */
function isToStore(shard: Shard): (piece: IndexedPiece) => boolean {
  return (piece) => piece.file === null && !piece.isClosed && shard.segmentRunsOf(piece.runs) !== null;
}
