export type * from './coordinator.ts';
export type * from './explanation.ts';
export type * from './exports.ts';
export type * from './imports.ts';
export type * from './segment-catalog.ts';
export type * from './worker.ts';
