export type * from './coordinator.ts';
export type * from './worker.ts';
