import type { TimestamptzColumn } from '@elanus/model';
import { satisfies } from './compare.ts';
import { type Evaluator, rowEvaluator } from './evaluator.ts';
import { addInterval } from './interval.ts';
import type { ComparisonLeaf, RangeLeaf, ShiftedOperand } from './plan.ts';

/** The evaluator of a comparison of a Timestamptz field that is moved by months, row by row. */
export function shiftedEvaluator(leaf: ComparisonLeaf | RangeLeaf, { of, by }: ShiftedOperand): Evaluator {
  const test = instantTest(leaf);
  const fieldId = of.field.id;
  return rowEvaluator(({ source }) => {
    const { values, validity } = source.column(fieldId) as TimestamptzColumn;
    return (row) => validity?.[row] !== 0 && test(addInterval(values[row]!, by)) !== leaf.negated;
  });
}

function instantTest(leaf: ComparisonLeaf | RangeLeaf): (instant: bigint) => boolean {
  const order = (a: bigint, b: unknown) => (a < (b as bigint) ? -1 : a > (b as bigint) ? 1 : 0);
  if (leaf.kind === 'compare') return (instant) => satisfies(order(instant, leaf.value), leaf.operator);
  return (instant) =>
    satisfies(order(instant, leaf.lower), leaf.lowerOperator) &&
    satisfies(order(instant, leaf.upper), leaf.upperOperator);
}
