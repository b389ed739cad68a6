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

/** Whether the filter looks for words, which are indexed chunk by chunk where the columns are at home. */
export function asksForWords(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.operands.some(asksForWords);
    case 'match':
      return asksForWords(condition.condition);
    default:
      return condition.kind === 'text-match' || condition.kind === 'phrase-match';
  }
}
