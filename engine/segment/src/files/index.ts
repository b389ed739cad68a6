export type { ColumnStatistics } from './column-statistics.ts';
export { type FileField, TIMESTAMP_FIELD } from './file-field.ts';
export { KeyFilter } from './key-filter.ts';
export { type ReadSegmentFileOptions, SegmentFile } from './segment-file.ts';
export { SegmentFileError } from './segment-file-error.ts';
export type {
  FileColumn,
  FileRegion,
  SegmentFileFooter,
  SegmentFileKind,
  SegmentFileLabel,
} from './segment-file-footer.ts';
export { type SegmentFileSource, sourceInMemory, sourceInStore } from './segment-file-source.ts';
export {
  encodeSegmentFile,
  type SegmentFileContent,
  type WriteSegmentFileOptions,
  type WrittenColumn,
} from './segment-file-writer.ts';
