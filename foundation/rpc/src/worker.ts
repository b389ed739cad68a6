import type { Predicate } from '@elanus/expr';
import type {
  ChannelName,
  CollectionId,
  CollectionInfo,
  Column,
  FieldId,
  FieldSchema,
  IndexInfo,
  KeyColumn,
  MetricType,
  PartitionId,
  RowBatch,
  SegmentId,
  StagedSegment,
  Timestamp,
  VectorType,
} from '@elanus/model';
import type { CompactOptions } from './coordinator.ts';
import type { Explainer } from './explanation.ts';

/** Rows of one shard and one partition. */
export interface InsertPart {
  readonly channel: ChannelName;
  readonly partitionId: PartitionId;
  /** Every stored field of the schema has its column. Buffers are borrowed until the write settles. */
  readonly batch: RowBatch;
}

/** Keys of one shard. */
export interface DeletePart {
  readonly channel: ChannelName;
  /** `null`: wherever in the collection the key is. */
  readonly partitionIds: readonly PartitionId[] | null;
  readonly keys: KeyColumn;
}

export type WriteRequest =
  | { readonly kind: 'insert'; readonly collection: CollectionInfo; readonly parts: readonly InsertPart[] }
  | {
      readonly kind: 'upsert';
      readonly collection: CollectionInfo;
      readonly parts: readonly InsertPart[];
      /** Nothing is written if a row with one of the keys was written or deleted after this time. */
      readonly unchangedSince?: Timestamp;
    }
  | { readonly kind: 'delete'; readonly collection: CollectionInfo; readonly parts: readonly DeletePart[] };

export interface WriteResult {
  /** Of the write: readers at this time or later see all of it. */
  readonly timestamp: Timestamp;
  /** Rows of earlier writes that this one put out of sight. */
  readonly replacedRows: number;
}

/** What a flush has begun. */
export interface FlushPoint {
  /** Everything that was acknowledged before the flush was asked for is not later than this. */
  readonly timestamp: Timestamp;
  /** Of the segments that it seals. */
  readonly segmentIds: readonly SegmentId[];
}

/** A compaction that somebody has asked for. */
export interface CompactionTicket {
  readonly id: bigint;
  /** Groups of segments that are put together; 0: there is nothing to do. */
  readonly plans: number;
}

/** How far a compaction has come; of one that nobody remembers all is 0. */
export interface CompactionReport {
  readonly executing: number;
  readonly completed: number;
  readonly failed: number;
  /** Which segments become which; `null`: not yet, or none, since all rows were deleted. */
  readonly merges: readonly { readonly sources: readonly SegmentId[]; readonly target: SegmentId | null }[];
}

/** One segment, as its worker has it. */
export interface SegmentReport {
  /** Rows that still grow have the number of their shard. */
  readonly id: SegmentId;
  readonly partitionId: PartitionId;
  readonly state: 'growing' | 'sealed';
  /** Those that anybody could see. */
  readonly rows: number;
  /** Of its file of rows; 0 as long as there is none. */
  readonly diskBytes: number;
  /** Rows, bitmaps and its part of the indexes; of mapped files what of them is in memory. */
  readonly memoryBytes: number;
  /** Vector fields all of whose rows in this segment have an index. */
  readonly indexedFields: readonly FieldId[];
}

/** Owns the channels: orders writes, makes them durable, applies them, and writes them to files. */
export interface StreamingWorker {
  /** Makes the channels of a new collection. Idempotent. */
  openCollection(collection: CollectionInfo): Promise<void>;
  /** Tells of a new version of the collection (partitions, name, schema). */
  updateCollection(collection: CollectionInfo): Promise<void>;
  /** Forgets the collection and its channels. Idempotent. */
  dropCollection(id: CollectionId): Promise<void>;
  /** Puts the rows of dropped partitions out of sight, all at once, and frees their keys. Idempotent. */
  dropPartitions(id: CollectionId, partitions: readonly PartitionId[]): Promise<void>;
  /**
   * Resolves once every part is durable and visible; rejects when none is or will be.
   * @throws MilvusError 1100 when the policy is `reject` and a key exists, `rowsChanged` when `unchangedSince` is not kept
   */
  write(request: WriteRequest): Promise<WriteResult>;
  /** Begins to write to files what is in memory only. What becomes of it is said by `isFlushed`. */
  flush(id: CollectionId): Promise<FlushPoint>;
  /** Whether everything acknowledged up to then is in files, and whatever was to come into these segments. */
  isFlushed(id: CollectionId, timestamp: Timestamp, segmentIds: readonly SegmentId[]): Promise<boolean>;
  /** Begins to put small segments together and to leave out deleted rows. */
  compact(id: CollectionId, options: CompactOptions): Promise<CompactionTicket>;
  /** What has become of a compaction. */
  compaction(ticket: bigint): CompactionReport;
  /** What there is of a collection, by segment. */
  segments(id: CollectionId): Promise<readonly SegmentReport[]>;
  /** What the log of a collection has lost that is served without it, in words; nothing as long as it is being read. */
  lossesOf(id: CollectionId): readonly string[];
  /** Live rows now, by partition. */
  countRows(id: CollectionId): Promise<ReadonlyMap<PartitionId, bigint>>;
}

/** Rows on their way into a collection, in files that nobody knows of. */
export interface RowStage {
  /** Bytes of rows that no call of `flush` has taken up. */
  readonly pendingBytes: number;
  /** Takes rows; the buffers of their columns are borrowed until the `flush` that takes them up has resolved. */
  add(parts: readonly InsertPart[]): void;
  /** Writes pending rows to files, which are durable when this resolves; what is added meanwhile is the next one's. */
  flush(signal: AbortSignal): Promise<readonly StagedSegment[]>;
}

/** Brings rows into collections in files. */
export interface ImportWorker {
  /** A place for rows of the collection, which nobody sees before `adopt`. */
  stage(collection: CollectionInfo): RowStage;
  /**
   * Makes all rows of these files visible at one time, as one insert, durable when it resolves. Files that were adopted
   * before change nothing: a call may be repeated whose answer was not heard.
   * @throws as `StreamingWorker.write`; MilvusError 1009 for a file that can't be read
   */
  adopt(collection: CollectionInfo, segments: readonly StagedSegment[]): Promise<WriteResult>;
  /** Deletes files that will not be adopted; what is left after a failure is collected later. */
  discard(id: CollectionId, segments: readonly StagedSegment[]): Promise<void>;
}

/** Query vectors, one after the other, in the form of the field they are compared with. */
export interface QueryVectors {
  /** Of lists that of their vectors. */
  readonly dataType: VectorType;
  /** `null` for sparse vectors. */
  readonly dim: number | null;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** `bytes` was made for this search, which is over when it has been answered: nobody keeps it, or a view of it. */
  readonly isOwnCopy?: boolean;
  /** Sparse only: `count + 1` byte offsets; otherwise `null`. */
  readonly offsets: Uint32Array | null;
  /**
   * Of a field whose rows are lists of vectors, and only there: `count + 1` offsets, query i is the vectors
   * `lists[i] .. lists[i + 1]`, of which there is one at least. Left out there: each vector of a row is compared by itself.
   */
  readonly lists?: Uint32Array;
}

/** Rows of a collection at a time; what searches and queries also start from. */
export interface ReadTask {
  readonly collection: CollectionInfo;
  /** `null`: every partition. */
  readonly partitionIds: readonly PartitionId[] | null;
  /** Every write that was acknowledged with a timestamp up to here is seen; the worker waits where it may lag. */
  readonly guarantee: Timestamp;
  /** Reads exactly as of this time (iterators); `null` reads the newest applied state. */
  readonly snapshot: Timestamp | null;
  readonly filter: Predicate | null;
}

/** How many of the lists of an index a search looks through, the nearest first: 1 to 65,536. */
export interface ListProbes {
  /** In any case. */
  readonly probes: number;
  /** As long as there are fewer hits than wanted. */
  readonly probesMax: number;
  /** And, if not 0, fewer lists in a row than this had none. */
  readonly emptyListsMax: number;
  /** Of codes of one bit, the bits that the numbers of a query are rounded to while lists are scanned: 1 to 8; 0 for none. */
  readonly queryBits?: number;
}

/** How far a search goes through an index. */
export interface GraphWalk {
  /** Candidates kept on the way through a graph: 1 or more. */
  readonly ef: number;
  /** Whether the client has asked for so many; left out: no. */
  readonly isAskedFor?: true;
  /** Of an index on codes, how many times the hits wanted are compared again by better ones: 1 or more. */
  readonly refineK: number;
  /** Of an index of lists. */
  readonly lists?: ListProbes;
  /** Of rows that are lists of vectors: how many times the hits wanted each vector of a query finds; required there. */
  readonly listRatio?: number;
  /**
   * `page`: of an iterator, whose pages begin at `rangeFilter`; it is a scan where that is quicker. Left out: the nearest.
   * Only of indexes whose scores are those of the vectors: pages that are found in different ways would overlap.
   */
  readonly answer?: 'page';
}

/** How sparse vectors are compared. */
export interface SparseScoring {
  /** Of BM25, whose queries hold words and how often each is asked for; `null`: by inner product. */
  readonly bm25: { readonly k1: number; readonly b: number } | null;
  /** The share of a query's weights, the smallest ones, that is left out: 0 to less than 1. */
  readonly dropRatio: number;
}

/** How vectors that are hashes are compared. */
export interface MinHashScoring {
  /** Of one hash. */
  readonly hashBytes: number;
  /** Bands that vectors are cut into to be found by: 1 or more. */
  readonly bands: number;
  /** What ranks the rows that are found: the share of equal hashes, or nothing: all score 1. */
  readonly rank: 'share' | 'none';
}

export interface SearchTask extends ReadTask {
  readonly field: FieldSchema;
  readonly metric: MetricType;
  readonly queries: QueryVectors;
  /** Hits wanted per query, offset included: 1 to 16384. */
  readonly limit: number;
  /** Keeps scores strictly better than this (distance: `<`, similarity: `>`); `null` keeps all. */
  readonly radius: number | null;
  /** Keeps scores no better than this (distance: `>=`, similarity: `<=`); `null` keeps all. */
  readonly rangeFilter: number | null;
  /** How to use the indexes there are; `null`: not, the answer is complete. */
  readonly walk: GraphWalk | null;
  /**
   * The share of the hits of an exact search that is wanted: above 0, at most 1. Then graphs are walked as far as it takes,
   * `walk.ef` does not count, and where that is not known yet every row is compared. Left out: as `walk` says.
   */
  readonly recallTarget?: number;
  /** Required with the metric BM25; left out: by inner product, with all weights. */
  readonly sparse?: SparseScoring;
  /** Required with the metric MHJACCARD. */
  readonly minHash?: MinHashScoring;
}

/** Where a row is, for a later `fetch`; valid while the collection is open. */
export interface RowLocations {
  readonly segmentIds: readonly SegmentId[];
  /** Parallel to `rows`: index into `segmentIds`. */
  readonly segments: Uint32Array;
  readonly rows: Uint32Array;
}

export interface SearchHits {
  readonly readTimestamp: Timestamp;
  /** Hits of each query; the flat lists below hold them query after query, best first, ties by smaller key. */
  readonly counts: Uint32Array;
  readonly keys: KeyColumn;
  readonly scores: Float32Array;
  readonly locations: RowLocations;
  /** Of a search with a recall target: what was measured with its effort, for each query. */
  readonly recalls?: Float32Array | undefined;
  /** Of a search for single vectors in lists of them: which of its row each hit is; one row may be several hits. */
  readonly elements?: Uint32Array | undefined;
}

/** One criterion of an order of rows. */
export interface OrderKey {
  /** A scalar field that is neither JSON nor an array. */
  readonly field: FieldId;
  readonly direction: 'ascending' | 'descending';
  readonly nulls: 'first' | 'last';
}

export interface QueryTask extends ReadTask {
  /** `null`: all matching rows. */
  readonly limit: number | null;
  readonly offset: number;
  /** Rows that are equal in all of these come in ascending key order, and so do all rows when it is left out. */
  readonly orderBy?: readonly OrderKey[];
}

/** What an aggregate works out of the rows of a group; nulls do not take part. */
export interface Aggregate {
  readonly function: 'count' | 'sum' | 'avg' | 'min' | 'max';
  /** `null`: counts rows. Sums and averages need numbers, `min` and `max` what can be ordered. */
  readonly field: FieldId | null;
}

export interface AggregateTask extends ReadTask {
  /** Rows with the same values, nulls among them, are one group; empty: all rows are one group, also when there is none. */
  readonly groupBy: readonly FieldId[];
  readonly aggregates: readonly Aggregate[];
}

/** One row a group, in ascending order of the fields grouped by, nulls last. */
export interface AggregateRows {
  readonly readTimestamp: Timestamp;
  readonly length: number;
  /** The values of the fields grouped by. */
  readonly groups: ReadonlyMap<FieldId, Column>;
  /**
   * Parallel to the task's aggregates. Counts and sums of integers are Int64, other sums and averages Double, the others
   * as their field; of no values every one but a count is null.
   */
  readonly values: readonly Column[];
}

export interface QueryRows {
  readonly readTimestamp: Timestamp;
  readonly keys: KeyColumn;
  readonly locations: RowLocations;
}

export interface ReadOptions {
  /** Aborted when the client is gone or its deadline has passed. May be made when it is first asked for. */
  readonly signal?: AbortSignal;
  /** Told what the read did; left out: nothing is measured. */
  readonly explain?: Explainer | undefined;
}

/** Answers reads from the segments it holds. */
export interface QueryWorker {
  search(task: SearchTask, options?: ReadOptions): Promise<SearchHits>;
  /** Several searches of one collection, side by side, that see the same rows. REQUIRES: at least one task. */
  searchTogether(tasks: readonly SearchTask[], options?: ReadOptions): Promise<readonly SearchHits[]>;
  query(task: QueryTask, options?: ReadOptions): Promise<QueryRows>;
  /** How many rows match, exactly, at the task's time. */
  count(task: ReadTask, options?: ReadOptions): Promise<bigint>;
  /** @throws MilvusError 1100 for more groups than are kept in memory, and for a sum that no int64 holds */
  aggregate(task: AggregateTask, options?: ReadOptions): Promise<AggregateRows>;
  /** The values of `fields` for rows found before, in their order. */
  fetch(
    id: CollectionId,
    locations: RowLocations,
    fields: readonly FieldId[],
  ): Promise<ReadonlyMap<FieldId, Column>>;
}

/** How far an index has come. */
export interface IndexProgress {
  /** Live rows that wait for it now. Rows too few to be worth an index are searched without one and never wait. */
  readonly pendingRows: bigint;
  /** Those of them that were written up to the time asked for. */
  readonly pendingRowsThen: bigint;
  /** Why its last build failed; `null` when it did not. */
  readonly failReason: string | null;
}

/** Builds the vector indexes of the rows it holds, in the background. No search waits for them. */
export interface IndexWorker {
  /** From now on builds this index wherever there are rows enough for it, now and later. Idempotent. */
  openIndex(index: IndexInfo): Promise<void>;
  /** Stops its builds and frees its memory; rows are compared one by one from now on. Idempotent. */
  closeIndex(index: IndexInfo): Promise<void>;
  /** Nothing waits for an index that is not open, or not of a kind that is built. */
  indexProgress(index: IndexInfo, at: Timestamp): Promise<IndexProgress>;
}
