import type { Condition } from '@elanus/expr';

/** Constants in the lists of a filter that are not packed. */
export function countConstants(condition: Condition): number {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.operands.reduce((sum, operand) => sum + countConstants(operand), 0);
    case 'match':
      return countConstants(condition.condition);
    case 'in':
      return condition.values instanceof BigInt64Array ? 1 : condition.values.length;
    case 'contains':
      return condition.values.length;
    default:
      return 1;
  }
}
