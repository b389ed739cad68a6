import { isText } from './bind-membership.ts';
import { type BindContext, type Bound, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { type Condition, isPlain } from './plan.ts';
import { requireRegex } from './regex.ts';
import type { BinaryNode } from './tree.ts';

/** `left =~ "pattern"` and its opposite `!~`. */
export function bindRegex(
  context: BindContext,
  node: BinaryNode,
  left: Bound,
  right: Bound,
  negated: boolean,
): Condition {
  if (left.kind !== 'operand' || !isPlain(left.operand) || !isText(left.operand))
    throw new FilterError('regex match on non-string or non-json field is unsupported');
  if (right.kind !== 'constant' || typeof right.value !== 'string')
    throw new FilterError(
      `regex pattern should be a string literal or template variable, got: ${context.print(node.right)}`,
      phaseOf(right),
    );
  requireRegex(right.value, right.phase);
  const isOpposite = node.operator === '!~';
  return { kind: 'regex', operand: left.operand, pattern: right.value, negated: isOpposite !== negated };
}
