/**
 * The whole border to the C++ kernel, in the order of its header. Batches cross, rows do not; buffers are
 * borrowed until the returned promise settles; long work runs on the kernel's own threads.
 */
import type { DenseVectorType, MetricType, VectorType } from '@elanus/model';
import type { IndexBuild, IndexOpen, SparseIndexBuild, VectorIndex } from './vector-index.ts';

/** Primary keys of the rows of one block: equal scores are ordered by them. */
export type BlockKeys =
  | { readonly type: 'int64'; readonly values: BigInt64Array }
  | { readonly type: 'varchar'; readonly offsets: Uint32Array; readonly bytes: Uint8Array };

/** Float32 vectors in 8 bits a dimension, as `Kernel.encode` makes them. */
export interface VectorCodes {
  readonly rows: number;
  /** `dim` a row. */
  readonly values: Int8Array;
  /** `CODE_FACTORS` a row. */
  readonly factors: Float32Array;
}

/** Numbers that stand beside each code. */
export const CODE_FACTORS = 3;

/** A run of vectors in memory, typically one chunk of a segment. */
export interface VectorBlock {
  /** Dense: the bytes of `rows` vectors, or of those of all lists. Sparse: the concatenated pairs that `offsets` cuts. */
  readonly bytes: Uint8Array;
  /** Sparse only: `rows + 1` byte offsets; otherwise `null`. */
  readonly offsets: Uint32Array | null;
  readonly rows: number;
  /** Rows that are lists: `rows + 1` offsets, row i has the vectors `lists[i] .. lists[i + 1]`. Absent: each row is one vector. */
  readonly lists?: Uint32Array;
  /** One bit a row, least significant first: only rows whose bit is set are compared. `null`: all. */
  readonly allowed: Uint8Array | null;
  /** 1 / length of each vector for COSINE (see `inverseNorms`), 0 for a zero vector; `null`: computed on the way. */
  readonly inverseNorms: Float32Array | null;
  /** Codes of the first rows of float32 vectors: the same hits, with a quarter of the memory read. */
  readonly codes?: VectorCodes;
  readonly keys: BlockKeys;
}

/**
 * How BM25 weighs: a row's values are how often each term occurs in it, a query's are the weights of its terms. A common
 * term adds weight * (k1 + 1) * f / (f + k1 * (1 - b + b * length / averageLength)), a row's length being its sum.
 */
export interface Bm25Scoring {
  /** 0 to 1000. */
  readonly k1: number;
  /** 0 to 1. */
  readonly b: number;
  /** Of all rows there are; greater than 0. */
  readonly averageLength: number;
}

/** How vectors that are hashes are compared. */
export interface MinHashScoring {
  /** Of one hash, 1 to 32; a vector has a whole number of them. */
  readonly hashBytes: number;
  /**
   * 0: a score is the share of the hashes that are equal, and rows with none are left out. Else vectors are cut into so
   * many bands: rows that have one in common with the query score 1, all others are left out.
   */
  readonly bands: number;
}

export interface ExactSearch {
  readonly dataType: VectorType;
  readonly metric: MetricType;
  /** 0 for sparse vectors. */
  readonly dim: number;
  readonly queries: Uint8Array;
  /** Sparse only; otherwise `null`. */
  readonly queryOffsets: Uint32Array | null;
  /**
   * Queries that are lists: `queryCount + 1` offsets, query i has the vectors `queryLists[i] .. queryLists[i + 1]`. The
   * blocks have lists, too, and the score of a query and a row is the sum, over the query's vectors, of the best score
   * among the row's. A row without a vector is never a hit. Dense types only, without codes.
   */
  readonly queryLists?: Uint32Array;
  readonly queryCount: number;
  readonly k: number;
  readonly blocks: readonly VectorBlock[];
  /** As `SearchTask.radius` of @elanus/rpc. */
  readonly radius: number | null;
  readonly rangeFilter: number | null;
  /** With the metric BM25, and only there. */
  readonly bm25?: Bm25Scoring | null;
  /** With the metric MHJACCARD, and only there. */
  readonly minHash?: MinHashScoring | null;
  readonly signal?: AbortSignal;
}

/** Best first, ties by smaller key, query q at `q * k .. q * k + counts[q]` of the flat arrays. */
export interface ExactHits {
  readonly counts: Uint32Array;
  /** Index into `blocks`. */
  readonly blocks: Uint32Array;
  /** Row within the block. */
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

export interface Kernel {
  /** Threads that share the work of all searches. */
  readonly threads: number;
  /** The instruction set chosen at run time: `avx512`, `avx2`, `neon` or `portable`. */
  readonly simd: string;
  /** The k best rows of all blocks together for each query, by comparing with every allowed row. */
  exactSearch(search: ExactSearch): Promise<ExactHits>;
  /** 1 / Euclidean length of each of `rows` vectors, 0 for zero vectors. Runs on the calling thread. */
  inverseNorms(dataType: DenseVectorType, dim: number, bytes: Uint8Array, rows: number): Float32Array;
  /**
   * Writes the codes of `rows` float32 vectors to the beginning of `codes`, on another thread. Nobody may change the
   * arrays meanwhile.
   */
  encode(dim: number, bytes: Uint8Array, rows: number, codes: Omit<VectorCodes, 'rows'>): Promise<void>;
  /**
   * Builds an index over copies of the vectors, on threads of its own.
   * @throws RangeError for numbers out of range; `KernelError` for what no index of that kind can be built of
   */
  buildIndex(build: IndexBuild | SparseIndexBuild): Promise<VectorIndex>;
  /**
   * Opens an index that was saved, as a view of its file, which must stay as it is. Reads what the file says of
   * itself and no more; see `VectorIndex.verify`.
   * @throws `KernelError` that says whether the file cannot be read, is damaged or too new, or lacks its vectors
   */
  openIndex(path: string, open?: IndexOpen): Promise<VectorIndex>;
}
