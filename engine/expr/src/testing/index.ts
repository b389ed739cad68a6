export { DEMO_CASES, type FilterCase, type Outcome } from './demo-cases.ts';
export { columnsOf, DEMO_ROWS, type Row } from './demo-rows.ts';
export { type Draw, drawFrom } from './fuzzed-filters.ts';
export { naiveFilter } from './naive-interpreter.ts';
export { type RandomFilter, randomFilter } from './random-filter.ts';
export { KEYS, randomRow, randomSchema } from './random-schema.ts';
