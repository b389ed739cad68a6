import type { IndexSpec } from '@elanus/kernel';
import { type DenseVectorType, denseVectorBytes, type FieldSchema } from '@elanus/model';

/** More candidates find no better neighbours, and would let one definition keep the machine busy for days. */
export const EF_CONSTRUCTION_MAX = 4096;
/** Milvus' own configuration: links of a node, rows considered for them, and of the vectors' bytes those of codes and of nodes in memory. */
export const DISK_DEFAULT = {
  maxDegree: 56,
  searchListSize: 100,
  codeShare: 0.125,
  cacheShare: 0.1,
} as const;

/** What DISKANN is built as, or AISAQ, by parameters that the coordinator has checked. */
export function diskSpec(texts: ReadonlyMap<string, string>, { dataType, dim }: FieldSchema): IndexSpec {
  const number = (key: string, usual: number): number => (texts.has(key) ? Number(texts.get(key)) : usual);
  const bytes = denseVectorBytes(dataType as DenseVectorType, dim!);
  const partOf = (share: number): number => Math.min(Math.floor(share * bytes), bytes);
  return {
    type: 'DISKANN',
    m: Math.max(2, Math.floor(number('max_degree', DISK_DEFAULT.maxDegree) / 2)),
    efConstruction: Math.min(number('search_list_size', DISK_DEFAULT.searchListSize), EF_CONSTRUCTION_MAX),
    codeBytes: Math.max(1, partOf(number('pq_code_budget_gb_ratio', DISK_DEFAULT.codeShare))),
    cacheBytes: partOf(number('search_cache_budget_gb_ratio', DISK_DEFAULT.cacheShare)),
  };
}
