export { MemoryMetaStore } from './memory-meta-store.ts';
export type * from './meta-store.ts';
export { type MetaStoreOptions, openMetaStore } from './mirrored-meta-store.ts';
