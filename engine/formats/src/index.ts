export { type ByteSource, FormatError, pieces, SourceError, sourceOf } from './byte-source.ts';
export type {
  Cells,
  CellValue,
  ColumnBatch,
  ColumnReader,
  FileColumn,
  NumberArray,
  NumberLists,
  NumberMemory,
  Numbers,
} from './columns.ts';
export { type CsvCell, csvRows } from './csv-rows.ts';
export { jsonLines, jsonRows } from './json-rows.ts';
export { NumpyRows } from './numpy/npy-reader.ts';
export { fixedTexts, npyHeader } from './numpy/npy-writer.ts';
export { ParquetRows } from './parquet/parquet-rows.ts';
export { ParquetFileWriter, type WrittenField, type WrittenType } from './parquet/parquet-writer.ts';
