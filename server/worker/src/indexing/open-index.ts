import type { IndexSpec } from '@elanus/kernel';
import type { FieldSchema, IndexInfo, SegmentId, Timestamp } from '@elanus/model';
import type { IndexLimits, SegmentIndex, Shard } from '@elanus/segment';
import type { ServedCollection } from '../served-collection.ts';
import type { SparseSpec } from './index-spec.ts';

/** One build that runs. */
export interface RunningBuild {
  readonly newRows: number;
  percent: number;
}

/** An index that is built wherever there are rows enough. */
export class OpenIndex {
  readonly info: IndexInfo;
  readonly field: FieldSchema;
  readonly spec: IndexSpec | SparseSpec;
  readonly collection: ServedCollection;
  /** Of segments whose build runs or waits. */
  readonly scheduled = new Set<SegmentIndex>();
  readonly running = new Set<RunningBuild>();
  /** Rows of builds that failed: the next try is one with twice as many. */
  readonly failedRows = new WeakMap<SegmentIndex, number>();
  failReason: string | null = null;
  /** Files that could not be used at the start: they go when others take their place. */
  readonly uselessFiles: SegmentId[] = [];
  /** Files from before the start are being opened: nothing is built meanwhile. */
  isRestoring = false;
  readonly #closed = new AbortController();
  #seenTimestamp: Timestamp | null = null;
  #restSinceMs = 0;

  constructor(
    info: IndexInfo,
    options: {
      readonly field: FieldSchema;
      readonly spec: IndexSpec | SparseSpec;
      readonly collection: ServedCollection;
      readonly limits: IndexLimits;
    },
  ) {
    this.info = info;
    this.field = options.field;
    this.spec = options.spec;
    this.collection = options.collection;
    for (const shard of this.collection.shards) shard.vectorIndexes.open(this.field, options.limits);
  }

  /** Aborts when the index is closed. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  get segments(): readonly SegmentIndex[] {
    return this.places.map(({ segment }) => segment);
  }

  /** The segments and their shards. */
  get places(): readonly { readonly shard: Shard; readonly segment: SegmentIndex }[] {
    return this.collection.shards.flatMap((shard) =>
      shard.vectorIndexes.of(this.field.id).map((segment) => ({ shard, segment })),
    );
  }

  /** Live rows written up to `at` that wait, less those that the builds under way have gone through. */
  pendingRows(at: Timestamp): number {
    const pending = this.collection.shards.reduce(
      (sum, shard) => sum + shard.rowsToIndex(this.field.id, at),
      0,
    );
    let done = 0;
    for (const { newRows, percent } of this.running) done += (newRows * percent) / 100;
    return pending === 0 ? 0 : Math.max(1, Math.ceil(pending - done));
  }

  /** For how long no write has come, as those know who ask again and again; 0 where one has come since the last time. */
  restMs(nowMs: number): number {
    const { appliedTimestamp } = this.collection;
    if (appliedTimestamp !== this.#seenTimestamp) {
      this.#seenTimestamp = appliedTimestamp;
      this.#restSinceMs = nowMs;
    }
    return nowMs - this.#restSinceMs;
  }

  /** Stops what is under way and frees the memory. */
  close(): void {
    this.#closed.abort(new Error('the index was dropped'));
    for (const shard of this.collection.shards) shard.vectorIndexes.close(this.field.id);
  }
}
