export { DEMO_CASES, type FilterCase, type Outcome } from './demo-cases.ts';
export { DEMO_ROWS, type Row } from './demo-rows.ts';
