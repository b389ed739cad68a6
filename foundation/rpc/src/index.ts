export type * from './coordinator.ts';
export type * from './segment-catalog.ts';
export type * from './worker.ts';
