import type { ColumnSource } from './predicate.ts';

/** Rows that are tested in one go: their columns stay in the cache while every leaf passes over them. */
export const RUN_ROWS_MAX = 8_192;

/** The rows `start .. end`, at most `RUN_ROWS_MAX`. */
export interface Run {
  readonly source: ColumnSource;
  readonly start: number;
  readonly end: number;
}

/**
 * What becomes of `out[i]`, which belongs to row `start + i`: replaced by the test's answer, or joined
 * with it. Joining lets a leaf skip rows that are decided already.
 */
export type Mode = 'set' | 'and' | 'or';

/** Tests the rows of a run. `out` holds 1 for TRUE and 0 for all else; with `set` its contents don't matter. */
export type Evaluator = (run: Run, out: Uint8Array, mode: Mode) => void;

/**
 * Tests the rows of a run, a bit for each from bit 0 of `bits[firstByte]` on: 1 for TRUE, 0 for all else. Bits of the last
 * byte beyond the run are 0.
 */
export type BitEvaluator = (run: Run, bits: Uint8Array, firstByte: number) => void;

/** The value of `out[i]` that no answer can change; -1 when there is none. */
export function decidedValue(mode: Mode): number {
  return mode === 'and' ? 0 : mode === 'or' ? 1 : -1;
}

/** An evaluator that asks row by row; `testOf` is called once a run. */
export function rowEvaluator(testOf: (run: Run) => (row: number) => boolean): Evaluator {
  return (run, out, mode) => {
    const test = testOf(run);
    const decided = decidedValue(mode);
    const { start, end } = run;
    for (let row = start, i = 0; row < end; row++, i++) if (out[i] !== decided) out[i] = test(row) ? 1 : 0;
  };
}
