import type { KeyColumn, MetricType, PartitionId, SegmentId, Timestamp } from '@elanus/model';

/** How much a read tells of itself: its plan and what it did, or also what an exact search would have found. */
export type ExplainLevel = 'explain' | 'analyze';

/** Hears of each read that a worker has answered for one request. */
export interface Explainer {
  readonly level: ExplainLevel;
  /** Called once a read, when it is over. */
  add(read: ReadExplanation): void;
}

/** A part of the time of something; the parts of one thing follow each other and leave nothing out. */
export interface StageTime {
  readonly stage: string;
  readonly ms: number;
}

/** How the rows that match a filter were found among those of a segment. */
export type FilterWay = 'cache' | 'scalar index' | 'bounds of values' | 'scan' | 'primary keys';

/** What a filter left of a segment's rows, deleted ones left out. */
export interface FilterShare {
  /** The share of rows that was to be expected, 0 to 1; `null` when nothing is known of the values. */
  readonly estimated: number | null;
  /** The share of rows that match. */
  readonly actual: number;
  readonly ways: readonly FilterWay[];
}

/** How vectors were compared. */
export type SearchStrategy =
  | 'exact scan'
  | 'index walk'
  | 'scan of codes'
  | 'nearest lists'
  | 'inverted lists';

/** Rows that were searched in one way: those of a segment, or of several that share an index. */
export interface PartExplanation {
  /** Rows that still grow have the number of their shard. */
  readonly segmentIds: readonly SegmentId[];
  readonly partitionId: PartitionId;
  readonly state: 'growing' | 'sealed';
  /** That the read looked at, deleted ones included. */
  readonly rows: number;
  /** `null`: there was no filter. */
  readonly filter: FilterShare | null;
  /** `null` of a read without vectors. */
  readonly search: PartSearch | null;
}

/** What comparing the vectors of these rows took, over all queries. */
export interface PartSearch {
  readonly strategy: SearchStrategy;
  readonly why: string;
  /** Rows that the index kept in view; `null` where none was used. */
  readonly ef: number | null;
  /** Rows that were looked at, one by one. `null`, here and below: the index has not counted. */
  readonly candidates: number | null;
  /** Comparisons, of codes and of vectors. */
  readonly distances: number | null;
  /** Of codes and vectors. */
  readonly bytesRead: number | null;
  /** Hits that these rows brought in, before they were merged with those of others. */
  readonly hits: number;
}

/** A row that a search should have found. */
export interface MissedRow {
  /** Which of the queries. */
  readonly query: number;
  readonly score: number;
}

/** A search beside the exact one over the very same rows. */
export interface RecallAnalysis {
  /** Of each query the share of its hits that are as good as the exact ones. */
  readonly recalls: Float32Array;
  readonly missed: readonly MissedRow[];
  /** Parallel to `missed`. */
  readonly missedKeys: KeyColumn;
}

/** What one read of a worker did. */
export interface ReadExplanation {
  readonly kind: 'search' | 'query' | 'count' | 'aggregate';
  readonly readTimestamp: Timestamp;
  /** Of a search; otherwise `null`. */
  readonly target: {
    readonly fieldName: string;
    readonly metric: MetricType;
    readonly queries: number;
  } | null;
  /** From the call to its answer. */
  readonly stages: readonly StageTime[];
  /** Bytes of the columns that the filter went through. */
  readonly filterBytes: number;
  readonly parts: readonly PartExplanation[];
  /** Of a search that was to be analysed; otherwise `null`. */
  readonly analysis: RecallAnalysis | null;
}
