import { satisfies } from './compare.ts';
import { foldIntegers } from './fold.ts';
import { valueIndexOf } from './look-ups.ts';
import type { OperandLeaf, RowOperator } from './plan.ts';
import type { Constant } from './tree.ts';
import { exactNumber } from './value-index.ts';

/** A number of a row: an integer that a double can't hold is a bigint, every other is a number. */
export type RowNumber = number | bigint;

/** Whether a value that is there satisfies a leaf, which is not negated. */
export type NumberTest = (value: RowNumber, isInteger: boolean) => boolean;

/** Exact, integers against fractions included. */
export function orderOfNumbers(a: RowNumber, b: RowNumber): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The test of `leaf` on one number; `undefined` when its constants are no numbers. */
export function numberTest(leaf: OperandLeaf): NumberTest | undefined {
  const test = plainTest(leaf);
  if (test === undefined || leaf.operand.kind !== 'arithmetic') return test;
  const { operator, constant } = leaf.operand;
  return (value, isInteger) => {
    const result = calculate(value, isInteger, operator, constant);
    return result !== undefined && test(result, isInteger);
  };
}

function plainTest(leaf: OperandLeaf): NumberTest | undefined {
  switch (leaf.kind) {
    case 'compare': {
      const constant = constantNumber(leaf.value);
      if (constant === undefined) return undefined;
      const { operator } = leaf;
      return (value) => satisfies(orderOfNumbers(value, constant), operator);
    }
    case 'range': {
      const lower = constantNumber(leaf.lower);
      const upper = constantNumber(leaf.upper);
      if (lower === undefined || upper === undefined) return undefined;
      const { lowerOperator, upperOperator } = leaf;
      return (value) =>
        satisfies(orderOfNumbers(value, lower), lowerOperator) &&
        satisfies(orderOfNumbers(value, upper), upperOperator);
    }
    case 'in': {
      const { values } = leaf;
      const hasBooleans = typeof values[0] === 'boolean';
      const index = valueIndexOf(hasBooleans ? Array.from(values, asNumber) : values);
      return (value) => index.slotOfNumber(value) >= 0;
    }
    default:
      return undefined;
  }
}

function asNumber(value: Constant): Exclude<Constant, boolean> {
  return typeof value === 'boolean' ? Number(value) : value;
}

/** Booleans count as 0 and 1, as columns hold them. */
function constantNumber(value: unknown): RowNumber | undefined {
  if (typeof value === 'bigint') return exactNumber(value);
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** `value operator constant`; `undefined` for the remainder of a fraction. */
function calculate(
  value: RowNumber,
  isInteger: boolean,
  operator: RowOperator,
  constant: bigint | number,
): RowNumber | undefined {
  if (isInteger && typeof constant === 'bigint')
    return exactNumber(foldIntegers(operator, BigInt(value), constant));
  const a = Number(value);
  const b = Number(constant);
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default:
      return undefined;
  }
}
