import { requireCount } from './bind-call.ts';
import { type BindContext, type Bound, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import type { Condition } from './plan.ts';
import type { CallNode, Node } from './tree.ts';

/** How near to 0 or 1 a probability is no longer told apart from it. */
const PROBABILITY_EPSILON = 1e-10;

/** Each filter draws in its own way, and a whole run in the same way as the last one. */
let samplesBound = 0;

/** `random_sample(probability)`. */
export function bindSample(
  context: BindContext,
  node: CallNode,
  bindOperand: (operand: Node) => Bound,
): Condition {
  if (context.scope !== null) throw new FilterError('random sample is not supported inside MATCH predicate');
  requireCount(context, node, 1);
  const bound = bindOperand(node.operands[0]!);
  const probability = bound.kind === 'constant' ? bound.value : undefined;
  const isInside =
    typeof probability === 'number' &&
    probability >= PROBABILITY_EPSILON &&
    probability <= 1 - PROBABILITY_EPSILON;
  if (isInside) return { kind: 'sample', probability, seed: samplesBound++ };
  throw new FilterError(
    'the sample factor should be between 0 and 1 and not too close to 0 or 1',
    phaseOf(bound),
  );
}
