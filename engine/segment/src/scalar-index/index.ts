export { buildScalarIndex, type IndexedBlock } from './build-scalar-index.ts';
export { decodeScalarIndex, encodeScalarIndex, ScalarIndexFileError } from './index-file.ts';
export type { ScalarIndexData } from './scalar-index.ts';
