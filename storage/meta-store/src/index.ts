export { type LmdbMetaStoreOptions, openLmdbMetaStore } from './lmdb-meta-store.ts';
export { MemoryMetaStore } from './memory-meta-store.ts';
export type * from './meta-store.ts';
export { MetaDamageError } from './meta-value.ts';
