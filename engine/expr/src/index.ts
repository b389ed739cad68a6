export type { ColumnSource, Predicate, RowFilter } from './predicate.ts';
