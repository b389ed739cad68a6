import type { IndexBuild, IndexSpec, SparseIndexBuild } from '@elanus/kernel';
import { type DenseVectorType, denseVectorBytes, isDenseVector, metricOfVectors } from '@elanus/model';
import { type IndexedPiece, type PlannedPiece, sparseVectorsOf, vectorsOf } from '@elanus/segment';
import { chooseIndex } from './choose-index.ts';
import type { SparseSpec } from './index-spec.ts';
import type { OpenIndex } from './open-index.ts';

/**
 * What a piece of `index` is built as. Of AUTOINDEX over vectors of numbers it is what fits into `bytesMax` beside all that
 * are `open`, but for the pieces that it replaces.
 */
export function specToBuild(
  { info, spec, field }: OpenIndex,
  { rows, replaced }: PlannedPiece,
  open: Iterable<OpenIndex>,
  bytesMax: number,
): IndexSpec | SparseSpec {
  if (info.indexType !== 'AUTOINDEX' || spec.type !== 'HNSW' || !isDenseVector(field.dataType)) return spec;
  let taken = 0;
  for (const index of open) taken += memoryOfPieces(index, replaced);
  return chooseIndex(field, rows, bytesMax - taken);
}

/** What the kernel is to build over the rows of a piece. */
export function buildOf(
  { info }: OpenIndex,
  planned: PlannedPiece,
  spec: IndexSpec | SparseSpec,
): Omit<IndexBuild, 'threads'> | Omit<SparseIndexBuild, 'threads'> {
  if (spec.type === 'SPARSE')
    return { ...sparseVectorsOf(planned), metric: spec.bm25 === null ? 'IP' : 'BM25', spec };
  const seed = Number(BigInt.asUintN(32, info.id));
  return { ...vectorsOf(planned), metric: metricOfVectors(info.metricType!), spec, seed };
}

/** Links and codes, and of graphs in memory the vectors that they compare. */
function memoryOfPieces({ segments, field }: OpenIndex, replaced: readonly IndexedPiece[]): number {
  const vectorBytes = isDenseVector(field.dataType)
    ? denseVectorBytes(field.dataType as DenseVectorType, field.dim!)
    : 0;
  let bytes = 0;
  for (const { pieces } of segments)
    for (const piece of pieces) {
      if (replaced.includes(piece)) continue;
      const { layout, memoryBytes } = piece.index;
      const isGraph = layout === 'fast' || layout === 'compact';
      bytes += memoryBytes + (isGraph ? piece.rows * vectorBytes : 0);
    }
  return bytes;
}
