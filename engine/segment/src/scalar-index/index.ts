export { buildScalarIndex, type IndexedBlock } from './build-scalar-index.ts';
export { decodeScalarIndex, encodeScalarIndex, ScalarIndexFileError } from './index-file.ts';
