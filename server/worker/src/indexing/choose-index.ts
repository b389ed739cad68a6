import type { IndexSpec } from '@elanus/kernel';
import { DataType, type DenseVectorType, denseVectorBytes, type FieldSchema } from '@elanus/model';
import { DISK_DEFAULT, diskSpec } from './disk-spec.ts';

/** What the benchmarks are measured with. */
const GRAPH = { type: 'HNSW', m: 16, efConstruction: 200 } as const;
/** At most; searches of AUTOINDEX look through the nearest 64. */
const LISTS = 1024;

/**
 * Of a row, beside vector and codes of a byte a dimension: links with codes of all that they lead to; links and where it
 * stands among the nodes; its place. And what the codes of lists take more, as blocks are not full.
 */
const FAST_BYTES = 896;
const COMPACT_BYTES = 168;
const PLACE_BYTES = 16;
const LISTS_FILLED = 0.8;

/** What the rows of an index take in memory while they are searched. */
interface Candidate {
  readonly spec: IndexSpec;
  readonly rowBytes: number;
}

/**
 * What AUTOINDEX is over `rows` dense vectors of numbers when there are `bytesLeft` for it: the quickest of what fits, and
 * where nothing does what takes least. docs/decisions/0054.
 */
export function chooseIndex(field: FieldSchema, rows: number, bytesLeft: number): IndexSpec {
  const candidates = candidatesOf(field);
  return (candidates.find(({ rowBytes }) => rows * rowBytes <= bytesLeft) ?? candidates.at(-1)!).spec;
}

/** The quickest first, none larger than those before. */
function candidatesOf(field: FieldSchema): readonly Candidate[] {
  const dim = field.dim!;
  const vector = denseVectorBytes(field.dataType as DenseVectorType, dim);
  // A graph compares vectors at each search: those it passes are in memory with it.
  const compactBytes = vector + dim + COMPACT_BYTES;
  const graphs: readonly Candidate[] = [
    { spec: { ...GRAPH, layout: 'auto' }, rowBytes: Math.max(vector + FAST_BYTES, compactBytes) },
    { spec: { ...GRAPH, layout: 'compact' }, rowBytes: compactBytes },
  ];
  // Lists and the graph on disk are of floats.
  if (field.dataType === DataType.Int8Vector) return graphs;
  const { codeShare, cacheShare } = DISK_DEFAULT;
  return [
    ...graphs,
    {
      spec: { type: 'IVF_SQ', lists: LISTS, sqType: 'SQ8', refine: 'FP32' },
      rowBytes: dim / LISTS_FILLED + PLACE_BYTES,
    },
    { spec: diskSpec(new Map(), field), rowBytes: vector * (codeShare + cacheShare) + PLACE_BYTES },
  ];
}
