import type { FieldSchema, VarCharColumn } from '@elanus/model';
import { satisfies } from './compare.ts';
import { type Evaluator, rowEvaluator } from './evaluator.ts';
import type { FieldsLeaf, OperandLeaf } from './plan.ts';
import type { ColumnSource } from './predicate.ts';
import { textScan } from './text-scan.ts';
import { orderOfBytes, textTest } from './text-test.ts';

/** The evaluator of a leaf on a VarChar column. */
export function textEvaluator(leaf: OperandLeaf, field: FieldSchema): Evaluator {
  const scan = textScan(leaf, field);
  if (scan !== null) return scan;
  const rows = textRows(leaf, field);
  return rowEvaluator(({ source }) => rows(source));
}

/** The test of single rows of a leaf on a VarChar column. */
export function textRows(
  leaf: OperandLeaf,
  field: FieldSchema,
): (source: ColumnSource) => (row: number) => boolean {
  const test = textTest(leaf)!;
  const wanted = !leaf.negated;
  return (source) => {
    const { bytes, offsets, validity } = source.column(field.id) as VarCharColumn;
    if (validity === null) return (row) => test(bytes, offsets[row]!, offsets[row + 1]!) === wanted;
    return (row) => validity[row] === 1 && test(bytes, offsets[row]!, offsets[row + 1]!) === wanted;
  };
}

/** The evaluator of a comparison of two VarChar columns. */
export function textFieldsEvaluator(leaf: FieldsLeaf): Evaluator {
  return rowEvaluator(({ source }) => {
    const left = source.column(leaf.left.id) as VarCharColumn;
    const right = source.column(leaf.right.id) as VarCharColumn;
    return (row) => {
      if (left.validity?.[row] === 0 || right.validity?.[row] === 0) return false;
      const other = right.bytes.subarray(right.offsets[row]!, right.offsets[row + 1]!);
      const order = orderOfBytes(left.bytes, left.offsets[row]!, left.offsets[row + 1]!, other);
      return satisfies(order, leaf.operator) !== leaf.negated;
    };
  });
}
