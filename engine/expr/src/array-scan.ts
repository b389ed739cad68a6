import { type ArrayColumn, DataType, type NumericColumn } from '@elanus/model';
import type { Evaluator, Run } from './evaluator.ts';
import { type Filler, filledEvaluator } from './filled-answers.ts';
import { halvesOf } from './integer-set.ts';
import { type ColumnOperand, type ContainsLeaf, elementTypeOf } from './plan.ts';

/** The evaluator of a leaf that asks whether arrays of integers hold one value; `null` for all else. */
export function arrayScan(leaf: ContainsLeaf, field: ColumnOperand['field']): Evaluator | null {
  const [value] = leaf.values;
  if (leaf.values.length !== 1 || typeof value !== 'bigint') return null;
  const columnOf = ({ source }: Run): ArrayColumn => source.column(field.id) as ArrayColumn;
  const fill = fillerOf(elementTypeOf(field), columnOf, value);
  return fill === null ? null : filledEvaluator(fill, (run) => columnOf(run).validity, leaf.negated);
}

function fillerOf(type: DataType, columnOf: (run: Run) => ArrayColumn, value: bigint): Filler | null {
  switch (type) {
    case DataType.Int64:
      return longFiller(columnOf, value);
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      return integerFiller(columnOf, Number(value));
    default:
      return null;
  }
}

function longFiller(columnOf: (run: Run) => ArrayColumn, value: bigint): Filler {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return (run, answers) => {
    const { offsets, elements } = columnOf(run);
    const halves = halvesOf((elements as NumericColumn).values as BigInt64Array);
    for (let row = run.start, i = 0, end = offsets[row]!; row < run.end; row++, i++) {
      let at = end;
      end = offsets[row + 1]!;
      while (at < end && (halves[2 * at] !== low || halves[2 * at + 1] !== high)) at++;
      answers[i] = at < end ? 1 : 0;
    }
  };
}

function integerFiller(columnOf: (run: Run) => ArrayColumn, value: number): Filler {
  return (run, answers) => {
    const { offsets, elements } = columnOf(run);
    const { values } = elements as NumericColumn;
    for (let row = run.start, i = 0, end = offsets[row]!; row < run.end; row++, i++) {
      let at = end;
      end = offsets[row + 1]!;
      while (at < end && values[at] !== value) at++;
      answers[i] = at < end ? 1 : 0;
    }
  };
}
