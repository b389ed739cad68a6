import type { Column, FieldId, FieldSchema } from '@elanus/model';
import type { BitEvaluator } from './evaluator.ts';
import type { JsonPlaces } from './json-places.ts';
import type { Condition } from './plan.ts';
import type { WordIndex } from './word-index.ts';

/**
 * A filter bound to one schema: names resolved, types checked, constants folded. Immutable plain data;
 * compile it with `compilePredicate`, or ask `primaryKeysOf` whether it merely lists keys.
 */
export interface Predicate {
  /** As the user wrote it. */
  readonly text: string;
  /** Every field the filter reads. */
  readonly fieldIds: ReadonlySet<FieldId>;
  /** Of the schema that the filter was bound to. */
  readonly primaryKey: FieldSchema;
  /**
   * Its `element_filter`, which asks for a result per element that matches; `null` without one. The compiled filter
   * finds the rows that have such an element, `elementMatcher` the elements.
   */
  readonly elementFilter: Extract<Condition, { readonly kind: 'match' }> | null;
  /** Whether no row is found by accident, as some are by a set that knows only what is probably in it. */
  readonly isExact: boolean;
  readonly condition: Condition;
}

/** The columns of a run of rows that a compiled filter reads. */
export interface ColumnSource {
  column(field: FieldId): Column;
  /** Of a text field that `text_match` or `phrase_match` asks about; it knows all rows that are tested. */
  words?(field: FieldId): WordIndex | undefined;
  /** Of the JSON path with this `pathName`, where somebody keeps that: of each row that is tested. */
  places?(path: string): JsonPlaces | undefined;
}

/**
 * Sets `matches[row - start]` to 1 where the predicate is true for `row` in `start .. end`, to 0 where it
 * is false or null.
 */
export interface RowFilter {
  (source: ColumnSource, start: number, end: number, matches: Uint8Array): void;
  /** Rows, a multiple of 8, that are tested well within a millisecond, when they are short; left out: 1,024. */
  readonly rowsAtOnce?: number;
  /** The same answers as bits, where that is quicker: within a millisecond for 16,384 rows. */
  readonly bits?: BitEvaluator;
}
