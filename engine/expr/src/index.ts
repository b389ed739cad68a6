export type { PlanOptions } from './bound.ts';
export { compilePredicate } from './compile.ts';
export { primaryKeysOf, requiredKeys, requiredValues } from './keys.ts';
export { planFilter, planningFilter } from './plan-filter.ts';
export type { ColumnSource, Predicate, RowFilter } from './predicate.ts';
export type { TemplateValue, TemplateValues } from './templates.ts';
export type { Constant } from './tree.ts';
