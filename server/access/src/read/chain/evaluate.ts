import { decayFactor } from '../rank/decay.ts';
import { roundedTo } from '../rounded.ts';
import type { CombineExpression, RowExpression } from './function-chain.ts';

/** Numbers of one row; `null` where a column has none. */
export type RowNumbers = readonly (number | null)[];

/** What an expression makes of the numbers of a row, as a float32. */
export function evaluate(expression: RowExpression, numbers: RowNumbers): number | null {
  const value = numberOf(expression, numbers);
  return value === null ? null : Math.fround(value);
}

function numberOf(expression: RowExpression, numbers: RowNumbers): number | null {
  if (expression.kind === 'num_combine') return combined(expression, numbers);
  const [value] = numbers;
  if (value == null) return null;
  return expression.kind === 'decay'
    ? decayFactor(value, expression.curve)
    : roundedTo(value, expression.decimal);
}

function combined({ mode, weights, nulls }: CombineExpression, numbers: RowNumbers): number | null {
  const values: number[] = [];
  const used: number[] = [];
  for (const [at, number] of numbers.entries()) {
    if (number === null && nulls === 'propagate') return null;
    if (number === null && nulls === 'skip') continue;
    values.push(number ?? 0);
    used.push(weights[at] ?? 1);
  }
  if (values.length === 0) return null;
  switch (mode) {
    case 'multiply':
      return values.reduce((product, value) => product * value, 1);
    case 'sum':
      return sum(values);
    case 'max':
      return Math.max(...values);
    case 'min':
      return Math.min(...values);
    case 'avg':
      return sum(values) / values.length;
    case 'weighted':
      return sum(values.map((value, at) => value * used[at]!));
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
