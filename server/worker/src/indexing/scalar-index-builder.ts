import { isDeepStrictEqual } from 'node:util';
import {
  type CollectionId,
  type Column,
  type IndexInfo,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import type { IndexProgress } from '@elanus/rpc';
import type { Clock, Logger, Metrics, Random } from '@elanus/runtime';
import {
  blocksOf,
  type ChunkView,
  FilesInUse,
  memoryOfIndex,
  openChunks,
  openSegmentThreads,
  type PieceLimits,
  type PlannedScalarPiece,
  type ScalarIndexPieces,
  type ScalarIndexSpec,
  type SegmentThreads,
  shareColumn,
} from '@elanus/segment';
import type { ServedCollection } from '../served-collection.ts';
import type { IndexFiles } from './index-files.ts';
import type { MappedIndex } from './mapped-indexes.ts';
import { isToStore, keptChunks, mappedScalarIndex, ScalarIndexFiles } from './scalar-index-files.ts';
import { registerScalarIndexMetrics, type ScalarIndexMetrics } from './scalar-index-metrics.ts';

/** Rows that are handed to the thread between two looks at the clock, a multiple of 32. */
const SHARED_ROWS = 8_192;
/** And bytes of texts, unless so few rows have more: about a millisecond. */
const SHARED_BYTES = 4 * 1024 * 1024;
const SHARED_ROWS_MIN = 32;

export interface ScalarIndexBuilderOptions {
  readonly share: { isSpent(): boolean; nextTurn(): Promise<void> };
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: PieceLimits;
  /** Where indexes over sealed rows are kept; left out: in memory only. */
  readonly indexFiles?: IndexFiles;
}

/** A scalar index that is built wherever there are rows enough. */
interface OpenScalarIndex {
  readonly info: IndexInfo;
  readonly spec: ScalarIndexSpec;
  readonly collection: ServedCollection;
  readonly pieces: ScalarIndexPieces;
  /** What is built; one piece at a time. */
  running: { readonly newRows: number; readonly blocks: number; readonly done: Int32Array } | null;
  /** Files are read or written, and pieces stay as they are meanwhile. */
  isMoving: boolean;
  /** Files that can't be used: the next one takes their place. */
  readonly uselessFiles: SegmentId[];
  seenTimestamp: Timestamp | null;
  failReason: string | null;
  isClosed: boolean;
}

/** Builds scalar indexes over full chunks, on one thread of low priority. No filter waits for one. */
export class ScalarIndexBuilder implements AsyncDisposable {
  readonly #options: ScalarIndexBuilderOptions;
  readonly #threads: SegmentThreads;
  readonly #files: ScalarIndexFiles | null;
  readonly #metrics: ScalarIndexMetrics;
  readonly #open = new Map<string, OpenScalarIndex>();
  readonly #builds = new Set<Promise<void>>();

  constructor(options: ScalarIndexBuilderOptions) {
    this.#options = options;
    this.#threads = openSegmentThreads(1, 'low');
    const { indexFiles } = options;
    this.#files = indexFiles === undefined ? null : new ScalarIndexFiles(indexFiles, this.#threads);
    const pieces = () => [...this.#open.values()].flatMap((index) => index.pieces.pieces);
    this.#metrics = registerScalarIndexMetrics(options.metrics, {
      rows: () => pieces().reduce((sum, { index }) => sum + index.rows, 0),
      files: () => pieces().filter(({ file }) => file !== null).length,
      bytes: () => pieces().reduce((sum, { index }) => sum + memoryOfIndex(index), 0),
    });
  }

  open(info: IndexInfo, collection: ServedCollection, spec: ScalarIndexSpec): void {
    const key = keyOf(info);
    if (this.#open.has(key)) return;
    const index: OpenScalarIndex = {
      info,
      spec,
      collection,
      pieces: collection.scalarIndexes.open(info.id, spec, this.#options.limits),
      running: null,
      isMoving: false,
      uselessFiles: [],
      seenTimestamp: null,
      failReason: null,
      isClosed: false,
    };
    this.#open.set(key, index);
    const files = this.#files;
    if (files === null) this.#consider(index, 'going-on');
    else index.pieces.restoring = this.#move(index, () => this.#restore(index, files));
  }

  close(info: IndexInfo): void {
    const index = this.#open.get(keyOf(info));
    if (index === undefined) return;
    index.isClosed = true;
    index.collection.scalarIndexes.close(info.id);
    this.#open.delete(keyOf(info));
  }

  closeAll(id: CollectionId): void {
    for (const { info } of [...this.#open.values()]) if (info.collectionId === id) this.close(info);
  }

  /** `undefined` when the index is not open here. */
  progress(info: IndexInfo, at: Timestamp): IndexProgress | undefined {
    const index = this.#open.get(keyOf(info));
    if (index === undefined) return undefined;
    const views = viewsOf(index);
    const { running, failReason } = index;
    // Sorting what was gathered takes about as long again.
    const share = running === null ? 0 : Atomics.load(running.done, 0) / (2 * running.blocks);
    const done = running === null ? 0 : Math.floor(running.newRows * share);
    const pending = (until: Timestamp): bigint => {
      const rows = index.pieces.pendingRows(views, until);
      return rows === 0 ? 0n : BigInt(Math.max(1, rows - done));
    };
    return { pendingRows: pending(TIMESTAMP_MAX), pendingRowsThen: pending(at), failReason };
  }

  /** Rows of a collection have been added, so that there may be something to build. */
  considerAll(id: CollectionId): void {
    for (const index of this.#open.values())
      if (index.info.collectionId === id) this.#consider(index, 'going-on');
  }

  /** What is used from files of a collection. */
  mapped(id: CollectionId): readonly MappedIndex[] {
    const pieces = [...this.#open.values()]
      .filter(({ info }) => info.collectionId === id)
      .flatMap((index) => index.pieces.pieces);
    return pieces.flatMap((piece) => mappedScalarIndex(piece, this.#options.share) ?? []);
  }

  /** To be called every few seconds: puts pieces together wherever no write has come since the last call. */
  considerAtRest(): void {
    for (const index of this.#open.values()) {
      const { appliedTimestamp } = index.collection;
      const isAtRest = appliedTimestamp === index.seenTimestamp;
      index.seenTimestamp = appliedTimestamp;
      if (isAtRest) this.#consider(index, 'at-rest');
    }
  }

  /** Stops all builds and frees all indexes. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { info } of [...this.#open.values()]) this.close(info);
    await this.#threads[Symbol.asyncDispose]();
    await Promise.all(this.#builds);
  }

  #consider(index: OpenScalarIndex, writes: 'going-on' | 'at-rest'): void {
    if (index.running !== null || index.isMoving || index.isClosed) return;
    const planned = index.failReason === null ? index.pieces.nextPiece(viewsOf(index), writes) : null;
    if (planned === null) {
      this.#considerFile(index);
      return;
    }
    const done = new Int32Array(new SharedArrayBuffer(4));
    index.running = { newRows: planned.newRows, blocks: blockCount(planned), done };
    const build = this.#build(index, planned, done).finally(() => {
      index.running = null;
      this.#builds.delete(build);
      this.#consider(index, 'going-on');
    });
    this.#builds.add(build);
  }

  /** Writes an index to a file when all of its rows are in files. */
  #considerFile(index: OpenScalarIndex): void {
    const files = this.#files;
    const piece = files === null ? undefined : index.pieces.pieces.find(isToStore);
    if (files === null || piece === undefined) return;
    const { info, uselessFiles } = index;
    void this.#move(index, async () => {
      await files.store(info, piece, uselessFiles);
      uselessFiles.length = 0;
    });
  }

  /** Works on files of an index, then looks for more to do; after a failure not before there are more rows. */
  #move(index: OpenScalarIndex, work: () => Promise<void>): Promise<void> {
    index.isMoving = true;
    const task = work().then(
      () => true,
      (error: unknown) => {
        if (!index.isClosed)
          this.#options.logger.warn(
            { index: index.info.name, err: error },
            'the file of a scalar index failed',
          );
        return false;
      },
    );
    const settled = task.then((isDone) => {
      index.isMoving = false;
      index.pieces.restoring = null;
      this.#builds.delete(settled);
      if (isDone) this.#consider(index, 'going-on');
    });
    this.#builds.add(settled);
    return settled;
  }

  /** Uses the files of an index for the rows that they are about. */
  async #restore(index: OpenScalarIndex, files: ScalarIndexFiles): Promise<void> {
    const { info, spec, collection, pieces, uselessFiles } = index;
    await collection.replayed();
    for (const file of files.of(info)) {
      const kept = keptChunks(collection.shards, file);
      try {
        const data = kept === null ? null : await files.open(file);
        if (index.isClosed) return;
        const isSame = data !== null && isDeepStrictEqual(data.index.spec, spec);
        const isUsed = isSame && pieces.restore(kept!.shard, kept!.chunks, data, file.id);
        if (!isUsed) uselessFiles.push(file.id);
      } catch (error) {
        if (index.isClosed) return;
        uselessFiles.push(file.id);
        const about = { index: info.name, file: file.file.key, err: error };
        this.#options.logger.error(
          about,
          'the file of a scalar index can’t be used: the index is built anew',
        );
      }
    }
  }

  async #build(index: OpenScalarIndex, planned: PlannedScalarPiece, done: Int32Array): Promise<void> {
    const { clock, logger, random } = this.#options;
    const { info, spec, pieces, collection } = index;
    const about = { collection: String(info.collectionId), index: info.name, rows: planned.rows };
    const startMs = clock.monotonicMs();
    using use = new FilesInUse();
    try {
      await openChunks(
        planned.chunks.map(({ chunk }) => chunk),
        use,
      );
      const blocks = await this.#sharedBlocks(planned, spec);
      const seed = random.uint32();
      const answer = await this.#threads.run({ kind: 'build', spec, blocks, seed, progress: done });
      if (index.isClosed || answer.kind !== 'build') return;
      pieces.adopt(planned, answer.index);
      const seconds = (clock.monotonicMs() - startMs) / 1000;
      this.#metrics.built.inc({ index_type: info.indexType });
      this.#metrics.buildSeconds.observe({ index_type: info.indexType }, seconds);
      const outcome = { name: collection.info.name, seconds, memoryBytes: memoryOfIndex(answer.index) };
      logger.info({ ...about, ...outcome }, 'a scalar index has been built');
    } catch (error) {
      if (index.isClosed) return;
      index.failReason = error instanceof Error ? error.message : String(error);
      this.#metrics.failed.inc({ index_type: info.indexType });
      logger.error({ ...about, err: error }, 'the build of a scalar index has failed');
    }
  }

  /** The columns to index where the thread can read them. */
  async #sharedBlocks(planned: PlannedScalarPiece, { place }: ScalarIndexSpec) {
    const blocks = [];
    const { share } = this.#options;
    for (const block of blocksOf(planned, place)) {
      for (let start = 0, end = 0; start < block.rows; start = end) {
        if (share.isSpent()) await share.nextTurn();
        end = start + rowsToShare(block.column, start, block.rows);
        const column = shareColumn(block.column, start, end);
        if (column === null) throw new TypeError('the field has no scalar values');
        blocks.push({ column, rows: end - start, firstRow: block.firstRow + start });
      }
    }
    return blocks;
  }
}

/** Text indexes are numbered within their collection. */
function keyOf({ collectionId, id }: IndexInfo): string {
  return `${collectionId}/${id}`;
}

/** How many rows from `start` on are handed to the thread at a time: a multiple of 32, but for the last ones. */
function rowsToShare(column: Column, start: number, rows: number): number {
  let count = Math.min(SHARED_ROWS, rows - start);
  if (!('bytes' in column && 'offsets' in column)) return count;
  const { offsets } = column;
  while (count > SHARED_ROWS_MIN && offsets[start + count]! - offsets[start]! > SHARED_BYTES)
    count = Math.ceil(count / (2 * SHARED_ROWS_MIN)) * SHARED_ROWS_MIN;
  return count;
}

/** How many blocks the thread gets, about. */
function blockCount({ chunks }: PlannedScalarPiece): number {
  return chunks.reduce((sum, { rows }) => sum + Math.ceil(rows / SHARED_ROWS), 0);
}

function viewsOf({ collection }: OpenScalarIndex): readonly ChunkView[] {
  return collection.shards.flatMap((shard) => shard.view({ partitionIds: null, at: TIMESTAMP_MAX }));
}
