export * from './assert.ts';
export * from './column.ts';
export * from './data-type.ts';
export * from './error.ts';
export * from './ids.ts';
export * from './schema.ts';
export * from './segment.ts';
export * from './timestamp.ts';
