export { ExactVectorIndex } from './exact-vector-index.ts';
export { keyColumn, keysOf, randomBatch, type TestKey, valueAt } from './random-rows.ts';
export { EVERY_TYPE, everyTypeSchema, fieldFixture, schemaFixture } from './schema-fixture.ts';
