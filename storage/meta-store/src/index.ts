export type * from './meta-store.ts';
