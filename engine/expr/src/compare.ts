import type { ComparisonOperator, Constant } from './tree.ts';

/**
 * -1, 0 or 1 as `a` is below, equal to or above `b`, of the same kind: numbers exactly, integer against
 * fraction included; text by its UTF-8 bytes, which is the order of code points; false before true.
 */
export function compareConstants(a: Constant, b: Constant): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Whether an order of -1, 0 or 1 satisfies `operator`. */
export function satisfies(order: number, operator: ComparisonOperator): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** The operator that says the same with its sides exchanged. */
export function mirrored(operator: ComparisonOperator): ComparisonOperator {
  switch (operator) {
    case '<':
      return '>';
    case '<=':
      return '>=';
    case '>':
      return '<';
    case '>=':
      return '<=';
    default:
      return operator;
  }
}
