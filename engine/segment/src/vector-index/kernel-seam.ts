import type { DenseVectorType, MetricType } from '@elanus/model';

// Stands in until the kernel exports these.
export type GraphLayout = 'auto' | 'fast' | 'compact';
export type Refine = 'SQ6' | 'SQ8' | 'BF16' | 'FP16' | 'FP32';
type Graph = { readonly m: number; readonly efConstruction: number };
export type IndexSpec =
  | (Graph & { readonly type: 'HNSW'; readonly layout: GraphLayout })
  | (Graph & {
      readonly type: 'HNSW_SQ';
      readonly sqType: 'SQ4U' | 'SQ6' | 'SQ8' | 'BF16' | 'FP16';
      readonly refine: Refine | null;
    })
  | (Graph & {
      readonly type: 'HNSW_PQ';
      readonly subquantizers: number;
      readonly bits: number;
      readonly refine: Refine | null;
    })
  | (Graph & {
      readonly type: 'HNSW_PRQ';
      readonly subquantizers: number;
      readonly residuals: number;
      readonly bits: number;
      readonly refine: Refine | null;
    });

export interface IndexBuild {
  readonly dataType: DenseVectorType;
  readonly metric: MetricType;
  readonly dim: number;
  readonly spec: IndexSpec;
  readonly blocks: readonly { readonly bytes: Uint8Array; readonly rows: number }[];
  readonly threads: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (percent: number) => void;
}

export interface IndexSearch {
  readonly queries: Uint8Array;
  readonly queryCount: number;
  readonly k: number;
  readonly ef: number;
  readonly refineK: number;
  readonly allowed: Uint8Array | null;
  readonly radius: number | null;
  readonly rangeFilter: number | null;
  readonly signal?: AbortSignal;
}
export interface IndexHits {
  readonly counts: Uint32Array;
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}
export interface VectorIndex {
  readonly rows: number;
  readonly memoryBytes: number;
  readonly layout: 'fast' | 'compact' | 'codes';
  search(search: IndexSearch): Promise<IndexHits>;
  searchSync(search: IndexSearch): IndexHits;
  close(): void;
}
export interface IndexKernel {
  readonly threads: number;
  buildIndex(build: IndexBuild): Promise<VectorIndex>;
}
