import { type ArrayColumn, DataType, type NumericColumn } from '@elanus/model';
import type { Evaluator, Run } from './evaluator.ts';
import { halvesOf } from './integer-set.ts';
import { type ColumnOperand, type ContainsLeaf, elementTypeOf } from './plan.ts';
import { findingEvaluator, type RowFinder, rowOfPlace } from './row-finder.ts';

/** The evaluator of a leaf that asks whether arrays of integers hold one value; `null` for all else. */
export function arrayScan(leaf: ContainsLeaf, field: ColumnOperand['field']): Evaluator | null {
  const [value] = leaf.values;
  if (leaf.values.length !== 1 || typeof value !== 'bigint') return null;
  const columnOf = ({ source }: Run): ArrayColumn => source.column(field.id) as ArrayColumn;
  const find = finderOf(elementTypeOf(field), columnOf, value);
  return find === null ? null : findingEvaluator(find, (run) => columnOf(run).validity, leaf.negated);
}

function finderOf(type: DataType, columnOf: (run: Run) => ArrayColumn, value: bigint): RowFinder | null {
  switch (type) {
    case DataType.Int64:
      return longFinder(columnOf, value);
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      return integerFinder(columnOf, Number(value));
    default:
      return null;
  }
}

/** Goes through the elements of all rows at once: how many each row has is not to be guessed by a processor. */
function longFinder(columnOf: (run: Run) => ArrayColumn, value: bigint): RowFinder {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return (run, found) => {
    const { offsets, elements } = columnOf(run);
    const halves = halvesOf((elements as NumericColumn).values as BigInt64Array);
    const last = offsets[run.end]!;
    let count = 0;
    let row = run.start;
    for (let at = offsets[row]!; at < last; at++) {
      if (halves[2 * at] !== low || halves[2 * at + 1] !== high) continue;
      row = rowOfPlace(offsets, at, row, run.end);
      found[count++] = row - run.start;
      at = offsets[row + 1]! - 1;
    }
    return count;
  };
}

function integerFinder(columnOf: (run: Run) => ArrayColumn, value: number): RowFinder {
  return (run, found) => {
    const { offsets, elements } = columnOf(run);
    const { values } = elements as NumericColumn;
    const last = offsets[run.end]!;
    let count = 0;
    let row = run.start;
    for (let at = offsets[row]!; at < last; at++) {
      if (values[at] !== value) continue;
      row = rowOfPlace(offsets, at, row, run.end);
      found[count++] = row - run.start;
      at = offsets[row + 1]! - 1;
    }
    return count;
  };
}
