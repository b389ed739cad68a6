import { DataType, type FieldSchema } from '@elanus/model';
import { refuseOptions, requireCount } from './bind-call.ts';
import { subFieldsOf } from './bind-name.ts';
import { type BindContext, type Bound, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import type { Condition, MatchLeaf } from './plan.ts';
import type { CallNode, Node } from './tree.ts';

const MODES: ReadonlyMap<string, MatchLeaf['mode']> = new Map([
  ['match_any', 'any'],
  ['element_filter', 'any'],
  ['match_all', 'all'],
  ['match_least', 'least'],
  ['match_most', 'most'],
  ['match_exact', 'exact'],
]);

export function isMatchCall(name: string): boolean {
  return MODES.has(name);
}

/** `match_any(array, condition)`, whose condition speaks of the elements as `$`, and its kin. */
export function bindMatch(
  context: BindContext,
  node: CallNode,
  bindOperand: (operand: Node) => Bound,
  negated: boolean,
): Condition {
  const { scope: outer } = context;
  if (outer !== null)
    throw new FilterError(
      `nested ${node.name} is not supported, already inside ${outer.call} for field: ${outer.name}`,
    );
  requireCount(context, node, 2);
  const mode = MODES.get(node.name)!;
  const hasThreshold = mode !== 'any' && mode !== 'all';
  refuseOptions(node, hasThreshold ? 'threshold' : undefined);
  const threshold = hasThreshold ? thresholdOf(node, bindOperand) : 0;
  const { name, array, first } = arrayOf(context, node);
  const fields = new Set<FieldSchema>([first]);
  context.fieldIds.add(first.id);
  context.scope = { call: node.name, name, array, fields };
  const bound = bindOperand(node.operands[1]!);
  context.scope = null;
  const condition = elementCondition(context, node, bound);
  const leaf: MatchLeaf = {
    ...{ kind: 'match', array: first, fields: [...fields], condition },
    ...{ mode, threshold, negated },
  };
  if (node.name === 'element_filter') context.elementFilter = leaf;
  return leaf;
}

interface MatchedArray {
  readonly name: string;
  readonly array: FieldSchema | null;
  /** An array as long as all others of the same struct. */
  readonly first: FieldSchema;
}

function arrayOf(context: BindContext, node: CallNode): MatchedArray {
  const [operand] = node.operands;
  if (operand?.kind === 'name' && operand.steps.length === 0) {
    const { name } = operand;
    const array = context.schema.fields.find((field) => field.name === name);
    if (array?.dataType === DataType.Array) return { name, array, first: array };
    const [first] = subFieldsOf(context, name);
    if (first !== undefined) return { name, array: null, first };
    if (array === undefined && context.schema.dynamicField === null)
      throw new FilterError(`field ${name} not exist`);
  }
  throw new FilterError(`${node.name} applies to array fields only, got: ${context.print(operand ?? node)}`);
}

function elementCondition(context: BindContext, node: CallNode, bound: Bound): Condition {
  if (bound.kind === 'condition') return bound.condition;
  throw new FilterError(
    `the condition of ${node.name} is not a boolean expression: ${context.print(node.operands[1]!)}`,
    phaseOf(bound),
  );
}

function thresholdOf(node: CallNode, bindOperand: (operand: Node) => Bound): number {
  const [option] = node.options;
  if (option === undefined) throw new FilterError(`${node.name} needs a threshold`);
  const bound = bindOperand(option.value);
  const threshold = bound.kind === 'constant' ? bound.value : undefined;
  if (typeof threshold === 'bigint' && threshold >= 0n) return Number(threshold);
  throw new FilterError(
    `the threshold of ${node.name} should be an integer that is not negative`,
    phaseOf(bound),
  );
}
