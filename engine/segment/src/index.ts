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
export type { PreparedWrite, WriteEffect } from './prepared-write.ts';
export { countShards, queryShards, type RowWindow } from './query-shards.ts';
export type { Read, RowSelection } from './read.ts';
export type { ScanTools } from './scan-rows.ts';
export { RestoredDeletions } from './sealed/restored-deletions.ts';
export { SealedFile, type SealedFileSource } from './sealed/sealed-file.ts';
export { deletionContent, type SealedRows, type ShardCut, segmentContent } from './sealed/shard-cut.ts';
export { searchShards, type VectorSearch } from './search-shards.ts';
export { type ReadScope, type RestoredRows, Shard, type ShardOptions } from './shard.ts';
export { VectorCoder } from './vector-coder.ts';
export {
  type IndexLimits,
  type PlannedPiece,
  presentRows,
  type SegmentIndex,
  vectorsOf,
} from './vector-index/segment-index.ts';
export { isRowPart, type KeyPart, type RowPart, type WritePart, type WriteRecord } from './write-record.ts';
export { decodeWriteRecord, WriteRecordError } from './write-record-reader.ts';
export { encodeWriteRecord } from './write-record-writer.ts';
