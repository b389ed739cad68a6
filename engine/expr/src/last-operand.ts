import { FilterError } from './filter-error.ts';
import type { LogicNode, Node } from './tree.ts';

/** Calls that look at what all other operands have left over, with their names in messages. */
const LAST_CALLS: ReadonlyMap<string, string> = new Map([
  ['random_sample', 'random sample expression'],
  ['element_filter', 'element filter expression'],
]);

/** @throws FilterError when `operand` has to be the last one of an AND, and is not */
export function requirePlace(operand: Node, { operator, operands }: LogicNode): void {
  const call = lastCall(operand);
  if (call === undefined) return;
  // Milvus says "and" of both.
  if (operator === 'or') throw new FilterError(`${call} cannot be used in logical and expression`);
  if (operand !== operands.at(-1))
    throw new FilterError(`${call} can only be the last expression in the logical and expression`);
}

/** @throws FilterError when the negated `operand` is a call that has to come last */
export function refuseNegation(operand: Node): void {
  const call = lastCall(operand);
  if (call !== undefined) throw new FilterError(`${call} cannot be used in unary expression`);
}

/** What `node` is called in messages when such a call is its last part. */
function lastCall(node: Node): string | undefined {
  if (node.kind === 'logic' && node.operator === 'and') return lastCall(node.operands.at(-1)!);
  return node.kind === 'call' && node.form === 'keyword' ? LAST_CALLS.get(node.name) : undefined;
}
