import { type ArrayColumn, DataType, type ElementColumn } from '@elanus/model';
import { arrayScan } from './array-scan.ts';
import { type Evaluator, rowEvaluator } from './evaluator.ts';
import { valueIndexOf } from './look-ups.ts';
import { type NumberTest, numberTest } from './number.ts';
import {
  type ColumnOperand,
  type ContainsLeaf,
  type ElementOperand,
  elementTypeOf,
  type ListValue,
  type OperandLeaf,
} from './plan.ts';
import { equalBytes } from './text-index.ts';
import { textTest } from './text-test.ts';
import type { ValueIndex } from './value-index.ts';

/** Asks about one element. */
type ElementTest = (elements: ElementColumn, at: number) => boolean;

/** The evaluator of a leaf on one element of an Array field, or on arithmetic of it. */
export function elementEvaluator(leaf: OperandLeaf, operand: ElementOperand): Evaluator {
  const test = elementTest(leaf, elementTypeOf(operand.field));
  const { index } = operand;
  return overArrays(operand.field.id, leaf.negated, (column, start, end) =>
    start + index < end ? test(column.elements, start + index) : undefined,
  );
}

/** The evaluator of a leaf on the length of an Array field, or on arithmetic of it. */
export function lengthEvaluator(leaf: OperandLeaf, of: ColumnOperand): Evaluator {
  const test = numberTest(leaf)!;
  return overArrays(of.field.id, leaf.negated, (_, start, end) => test(end - start, true));
}

/** The evaluator of `array == [...]`. */
export function arrayEqualityEvaluator(
  field: ColumnOperand['field'],
  values: readonly ListValue[],
  negated: boolean,
): Evaluator {
  const tests = values.map((value) => equalElementTest(value, elementTypeOf(field)));
  return overArrays(field.id, negated, (column, start, end) => {
    if (end - start !== tests.length) return false;
    for (let i = 0; i < tests.length; i++) if (!tests[i]!(column.elements, start + i)) return false;
    return true;
  });
}

/** The evaluator of the `array_contains` family on an Array field. */
export function arrayContainsEvaluator(leaf: ContainsLeaf, field: ColumnOperand['field']): Evaluator {
  const scan = arrayScan(leaf, field);
  if (scan !== null) return scan;
  const index = valueIndexOf(leaf.values);
  const slotOf = elementSlot(elementTypeOf(field), index);
  if (leaf.mode === 'any')
    return overArrays(field.id, leaf.negated, (column, start, end) => {
      for (let at = start; at < end; at++) if (slotOf(column.elements, at) >= 0) return true;
      return false;
    });
  return overArrays(field.id, leaf.negated, (column, start, end) => {
    if (end - start < index.slots) return false;
    const seen = new Set<number>();
    for (let at = start; at < end && seen.size < index.slots; at++) {
      const slot = slotOf(column.elements, at);
      if (slot >= 0) seen.add(slot);
    }
    return seen.size === index.slots;
  });
}

/** `test` gets the bounds of a row's elements and answers `undefined` for UNKNOWN. */
function overArrays(
  fieldId: ColumnOperand['field']['id'],
  negated: boolean,
  test: (column: ArrayColumn, start: number, end: number) => boolean | undefined,
): Evaluator {
  return rowEvaluator(({ source }) => {
    const column = source.column(fieldId) as ArrayColumn;
    const { offsets, validity } = column;
    return (row) => {
      if (validity !== null && validity[row] === 0) return false;
      return test(column, offsets[row]!, offsets[row + 1]!) === !negated;
    };
  });
}

function elementTest(leaf: OperandLeaf, type: DataType): ElementTest {
  if (type === DataType.VarChar) {
    const test = textTest(leaf)!;
    return (elements, at) => {
      const { bytes, offsets } = elements as Extract<ElementColumn, { offsets: Uint32Array }>;
      return test(bytes, offsets[at]!, offsets[at + 1]!);
    };
  }
  const isInteger = type !== DataType.Float && type !== DataType.Double;
  return numericElementTest(numberTest(leaf)!, isInteger);
}

function numericElementTest(test: NumberTest, isInteger: boolean): ElementTest {
  return (elements, at) => {
    const { values } = elements as Exclude<ElementColumn, { offsets: Uint32Array }>;
    return test(values[at]!, isInteger);
  };
}

function equalElementTest(value: ListValue, type: DataType): ElementTest {
  if (type === DataType.VarChar) {
    const constant = Buffer.from(value as string);
    return (elements, at) => {
      const { bytes, offsets } = elements as Extract<ElementColumn, { offsets: Uint32Array }>;
      return equalBytes(bytes, offsets[at]!, offsets[at + 1]!, constant);
    };
  }
  const slotOf = elementSlot(type, valueIndexOf([value]));
  return (elements, at) => slotOf(elements, at) >= 0;
}

function elementSlot(type: DataType, index: ValueIndex): (elements: ElementColumn, at: number) => number {
  if (type === DataType.VarChar)
    return (elements, at) => {
      const { bytes, offsets } = elements as Extract<ElementColumn, { offsets: Uint32Array }>;
      return index.slotOfText(bytes, offsets[at]!, offsets[at + 1]!);
    };
  return (elements, at) => {
    const { values } = elements as Exclude<ElementColumn, { offsets: Uint32Array }>;
    return type === DataType.Bool ? index.slotOfBoolean(values[at] === 1) : index.slotOfNumber(values[at]!);
  };
}
