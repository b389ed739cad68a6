export { EVERY_TYPE, everyTypeSchema } from './every-type-schema.ts';
export { ExactVectorIndex } from './exact-vector-index.ts';
export { keyColumn, keysOf, randomBatch, type TestKey, valueAt } from './random-rows.ts';
