/** Vector indexes: approximate search over vectors that the index owns. In the order of `include/elanus/index.h`. */
import type { DenseVectorType, MetricType } from '@elanus/model';
import type { Bm25Scoring, MinHashScoring } from './kernel.ts';

/** `fast` answers most queries a second, `compact` needs least memory; `auto` chooses. */
export type GraphLayout = 'auto' | 'fast' | 'compact';

/** In what form vectors are kept for ranking anew what their codes have found. */
export type Refine = 'SQ6' | 'SQ8' | 'BF16' | 'FP16' | 'FP32';

interface GraphSpec {
  /** Links of a row in the upper layers, half of those in the lowest: 2 to 2048. */
  readonly m: number;
  /** How many rows near to a new one are considered for its links: at least 1. */
  readonly efConstruction: number;
}

interface ListsSpec {
  /** Lists that the rows are divided among, at most: 1 to 65,536. */
  readonly lists: number;
}

export type IndexSpec =
  | (GraphSpec & { readonly type: 'HNSW'; readonly layout: GraphLayout })
  | (GraphSpec & {
      readonly type: 'HNSW_SQ';
      readonly sqType: 'SQ4U' | 'SQ6' | 'SQ8' | 'BF16' | 'FP16';
      readonly refine: Refine | null;
    })
  | (GraphSpec & {
      readonly type: 'HNSW_PQ';
      /** Divides the dimension. */
      readonly subquantizers: number;
      /** Of a sub-quantizer's number: 1 to 12. */
      readonly bits: number;
      readonly refine: Refine | null;
    })
  | (GraphSpec & {
      readonly type: 'HNSW_PRQ';
      readonly subquantizers: number;
      /** Stages of each sub-quantizer: 1 to 16. */
      readonly residuals: number;
      readonly bits: number;
      readonly refine: Refine | null;
    })
  | (ListsSpec & { readonly type: 'IVF_FLAT' })
  | (ListsSpec & {
      readonly type: 'IVF_SQ';
      readonly sqType: 'SQ4U' | 'SQ6' | 'SQ8';
      readonly refine: Refine | null;
    })
  | (ListsSpec & {
      readonly type: 'IVF_PQ';
      /** Divides the dimension. */
      readonly subquantizers: number;
      /** Of a sub-quantizer's number: 1 to 12. With 4 codes are compared 32 at a time. */
      readonly bits: number;
      readonly refine: Refine | null;
    })
  | (ListsSpec & {
      readonly type: 'IVF_RABITQ';
      /** Of each dimension: 1 to 9. */
      readonly bits: number;
      readonly refine: Refine | null;
    })
  | (ListsSpec & {
      readonly type: 'SCANN';
      /** Divides the dimension. */
      readonly subquantizers: number;
      /** Whether candidates are ranked anew by their vectors. */
      readonly vectors: 'kept' | 'left out';
    })
  /** Of binary vectors. */
  | (ListsSpec & { readonly type: 'BIN_IVF_FLAT' })
  /** Of binary vectors that are hashes, found by the bands that they have in common: at least 1. */
  | ({ readonly type: 'MINHASH_LSH' } & MinHashScoring)
  | (GraphSpec & {
      readonly type: 'DISKANN';
      /** Of the code of a row, which stays in memory; vectors and links are read from the file. At least 1. */
      readonly codeBytes: number;
      /** For each row, of the nodes that most searches come by, which stay in memory once they were read. 0: none. */
      readonly cacheBytes: number;
    });

/** Vectors in memory, one behind the other. */
export interface VectorRows {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

export interface IndexBuild {
  /** Float32, float16, bfloat16 or int8 vectors; binary ones where the type is for them. */
  readonly dataType: DenseVectorType;
  /** L2, IP or COSINE; HAMMING, JACCARD or MHJACCARD. */
  readonly metric: MetricType;
  readonly dim: number;
  readonly spec: IndexSpec;
  /** Lent, not copied: nothing may change them as long as the index is open. Row numbers run on over the blocks. */
  readonly blocks: readonly VectorRows[];
  /** Threads that build; of low priority, never those of searches. 1 to 1024. */
  readonly threads: number;
  /** An integer from 0 to 2^53 - 1. The same seed and vectors make the same index, whatever the threads. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** From 0 to 100, rising, about ten times a second at most. */
  readonly onProgress?: (percent: number) => void;
}

/** Sparse vectors in memory: pairs of uint32 dimension and float32 value, dimensions ascending, values finite. */
export interface SparseRows {
  readonly bytes: Uint8Array;
  /** `rows + 1` byte offsets. */
  readonly offsets: Uint32Array;
  readonly rows: number;
}

/** An index over sparse vectors: exact, whatever the parameters. */
export interface SparseIndexBuild {
  readonly dataType: 104;
  readonly metric: 'IP' | 'BM25';
  readonly spec: {
    readonly type: 'SPARSE';
    /** With BM25: what searches will most probably ask for. With others they are slower, and as exact. */
    readonly bm25: Pick<Bm25Scoring, 'k1' | 'b'> | null;
  };
  /** Must not change until the build has ended. Of BM25 all values are positive. */
  readonly blocks: readonly SparseRows[];
  /** As in `IndexBuild`, like what follows. The index is the same for any number of threads. */
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (percent: number) => void;
}

/** What of a search is for sparse indexes only. */
export interface SparseQueries {
  /** One more than there are queries: byte offsets into them. */
  readonly offsets: Uint32Array;
  /** With BM25, and only there. */
  readonly bm25: Bm25Scoring | null;
}

/** How many of the lists of an index are looked through, the nearest first. */
export interface ListProbes {
  /** In any case: at least 1. */
  readonly probes: number;
  /** As long as there are fewer hits than wanted. */
  readonly probesMax: number;
  /** And, if not 0, fewer lists in a row than this had none. */
  readonly emptyListsMax: number;
  /** Of codes of one bit, the bits that the numbers of a query are rounded to while lists are scanned: 1 to 8; 0 for none. */
  readonly queryBits?: number;
}

/**
 * How an index of layout `fast` or `compact` is searched: by a walk through its graph, however few of the rows on the way are
 * allowed, or by going through the short codes, the longer codes or the vectors of all allowed rows. `cheapest`: which of
 * them, the index decides.
 */
export type SearchWay = 'cheapest' | 'walk' | 'short codes' | 'long codes' | 'vectors';

export interface IndexSearch {
  /** Vectors of the index' type, one behind the other. */
  readonly queries: Uint8Array;
  readonly queryCount: number;
  readonly k: number;
  /** Rows that the walk keeps in view: more find more. What is below `k` counts as `k`. */
  readonly ef: number;
  /** So many times `k` rows are ranked anew where the index refines; at least 1. */
  readonly refineK: number;
  /** One bit a row, least significant first: only rows whose bit is set are returned. `null`: all. */
  readonly allowed: Uint8Array | null;
  /** As in `ExactSearch`. */
  readonly radius: number | null;
  readonly rangeFilter: number | null;
  /** Of a sparse index, and only there; `ef` and `refineK` do nothing then. */
  readonly sparse?: SparseQueries | null;
  /** Whether `effort` of the hits is to tell what the search did. */
  readonly isMeasured?: boolean;
  /** Of an index of layout `lists` or `binary lists`, and only there; `ef` does nothing then. `null`: the nearest list, and more for `k` hits. */
  readonly lists?: ListProbes | null;
  /** Of MINHASH_LSH: whether what has a band in common is ranked by the share of equal hashes, and does not score 1. */
  readonly byShare?: boolean;
  /** Whether the search is short and one of many: it has `crowdThreads`, which leave a processor to the thread that asks. */
  readonly isOfCrowd?: boolean;
  /** `cheapest` unless told; others are for measurements. */
  readonly way?: SearchWay;
  readonly signal?: AbortSignal;
}

/** What a search did, over all of its queries. */
export interface SearchEffort {
  /** Rows that were looked at one by one. */
  readonly visited: number;
  /** Comparisons of any precision: of codes, and of vectors. */
  readonly distances: number;
  /** Of codes and vectors that were compared. */
  readonly bytes: number;
  /** Queries that were answered by going through the codes of all allowed rows, not by a walk. */
  readonly scans: number;
}

/** Best first, ties by smaller row, query q at `q * k .. q * k + counts[q]` of the flat arrays. */
export interface IndexHits {
  readonly counts: Uint32Array;
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
  /** Of a search that was to be measured. */
  readonly effort?: SearchEffort;
}

/** What is written to a file. */
export interface IndexSave {
  /**
   * `outside`: without the vectors, which `openIndex` is given then. Indexes of layout `codes`, and many of layout `lists`, have none to leave out.
   * `inside` unless told.
   */
  readonly vectors?: 'inside' | 'outside';
}

/** What goes with a file that is opened. */
export interface IndexOpen {
  /**
   * The vectors of an index that was saved without them, of any alignment, row numbers running on over the blocks. They are
   * used where they lie: nobody may change or unmap them until the index is closed and every call on it has settled. An
   * index of layout `codes` does without them, or reads them when a filter leaves rows that codes do not tell apart.
   */
  readonly vectors?: readonly VectorRows[];
}

/** How a file is read through. */
export interface IndexVerify {
  readonly signal?: AbortSignal;
  /** From 0 to 100, rising, about ten times a second at most. */
  readonly onProgress?: (percent: number) => void;
}

/** An index in memory, or a view of its file. Buffers that it is given must not change until the call has settled. */
export interface VectorIndex {
  readonly rows: number;
  readonly memoryBytes: number;
  readonly layout: 'fast' | 'compact' | 'codes' | 'sparse' | 'lists' | 'binary lists' | 'hash bands' | 'disk';
  /** Threads for searches of a crowd. */
  readonly crowdThreads: number;
  /** On the threads of the kernel that made the index, which share the queries. */
  search(search: IndexSearch): Promise<IndexHits>;
  /** On the calling thread, and not to be cancelled. */
  searchSync(search: IndexSearch): IndexHits;
  /** Of a sparse index: how many rows have each of the dimensions, and the sum of all values of all rows. */
  sparseStatistics(dimensions: Uint32Array): {
    readonly frequencies: Uint32Array;
    readonly totalLength: number;
  };
  /** Replaces the file at `path` at one moment, durably. */
  save(path: string, save?: IndexSave): Promise<void>;
  /**
   * Reads the whole file of an index that was opened, on a thread of low priority; searches go on meanwhile. What is
   * damaged may change what they find before it is known, but never leads them out of the file.
   * @throws `KernelError` when a byte is not what was written, or the disk cannot read it
   */
  verify(verify?: IndexVerify): Promise<void>;
  /** Frees the memory once the searches that run are done. Nothing else may be called afterwards. Idempotent. */
  close(): void;
}
