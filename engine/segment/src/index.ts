export { aggregateShards, type GroupedRows } from './aggregate-shards.ts';
export { openChunks } from './chunk.ts';
export { type Expiry, expiredKeys } from './expired-keys.ts';
export { explainRead } from './explain/explain-read.ts';
export { ReadTrace } from './explain/read-trace.ts';
export { fetchColumns } from './fetch-columns.ts';
export {
  encodeSegmentFile,
  SegmentFile,
  type SegmentFileContent,
  SegmentFileError,
  type SegmentFileLabel,
  type SegmentFileSource,
  sourceInMemory,
  sourceInStore,
} from './files/index.ts';
export { FilterCache } from './filter/filter-cache.ts';
export type { FilterTools } from './filter/filter-views.ts';
export { functionColumn, type GivenRows } from './function-column.ts';
export { missingColumn } from './missing-column.ts';
export { prepareRead } from './prepare-read.ts';
export type { PreparedWrite, WriteEffect } from './prepared-write.ts';
export { countShards, queryShards, type RowWindow } from './query-shards.ts';
export type { Read, RowSelection } from './read.ts';
export { measureRecall, rowsAsQueries, type SampledQueries } from './recall/measure-recall.ts';
export { locationsOfRows } from './row-list.ts';
export { buildScalarIndex } from './scalar-index/build-scalar-index.ts';
export { decodeScalarIndex } from './scalar-index/index-file.ts';
export {
  blocksOf,
  type MappedScalarIndex,
  type PieceLimits,
  type PlannedScalarPiece,
  type ScalarIndexPieces,
  type ScalarPiece,
} from './scalar-index/index-pieces.ts';
export { type ScalarIndexDefinition, scalarIndexSpec } from './scalar-index/plan-index.ts';
export {
  memoryOfIndex,
  type ScalarIndexData,
  type ScalarIndexSpec,
  type WordSpec,
} from './scalar-index/scalar-index.ts';
export { ScalarIndexes } from './scalar-index/scalar-indexes.ts';
export type { ScanTools } from './scan-rows.ts';
export { FilesInUse, giveToReads, type UsedFile } from './sealed/files-in-use.ts';
export { RestoredDeletions } from './sealed/restored-deletions.ts';
export { type FileContent, SealedFile, type SealedFileSource } from './sealed/sealed-file.ts';
export type { ShardSegment } from './sealed/sealed-segments.ts';
export type { SegmentRewrite } from './sealed/segment-rewrite.ts';
export {
  deletionContent,
  SEGMENT_FIELD,
  type SealedRows,
  type ShardCut,
  segmentContent,
} from './sealed/shard-cut.ts';
export { searchShards, type VectorSearch } from './search-shards.ts';
export {
  type ChunkView,
  type ReadScope,
  type RestoredRows,
  Shard,
  type ShardOptions,
} from './shard.ts';
export { storedFields } from './stored-fields.ts';
export { openSegmentThreads, type SegmentThreads } from './threads/open-threads.ts';
export { shareColumn } from './threads/share-column.ts';
export { VectorCoder } from './vector-coder.ts';
export type { IndexedPiece, KeptRows, PieceFile } from './vector-index/indexed-piece.ts';
export {
  joinedBlocks,
  type PieceVectors,
  presentRows,
  sparseVectorsOf,
  vectorsOf,
} from './vector-index/piece-vectors.ts';
export { hitsAtFirst } from './vector-index/ranked-hits.ts';
export type { IndexLimits, PlannedPiece, SegmentIndex } from './vector-index/segment-index.ts';
export { VectorLoan } from './vector-index/vector-loan.ts';
export {
  isRowPart,
  isSegmentPart,
  type KeyPart,
  type RowPart,
  type SegmentPart,
  type WritePart,
  type WriteRecord,
  type WrittenSegment,
} from './write-record.ts';
export { decodeWriteRecord, WriteRecordError } from './write-record-reader.ts';
export { encodeWriteRecord } from './write-record-writer.ts';
