import { bindArithmetic, complement } from './bind-arithmetic.ts';
import { bindCall } from './bind-call.ts';
import { bindComparison, bindRange } from './bind-comparison.ts';
import { bindGeometry, isGeometryCall } from './bind-geometry.ts';
import { bindMatch, isMatchCall } from './bind-match.ts';
import { bindMember } from './bind-member.ts';
import { bindLike, bindMembership } from './bind-membership.ts';
import { bindElement, bindName, bindNullTest, nullCondition } from './bind-name.ts';
import { bindRegex } from './bind-regex.ts';
import { bindSample } from './bind-sample.ts';
import { bindTextMatch, isTextMatchCall } from './bind-text-match.ts';
import { type BindContext, type Bound, boundTypeName, unpack } from './bound.ts';
import { FilterError, shorten } from './filter-error.ts';
import { foldSign } from './fold.ts';
import { parseInstant } from './instant.ts';
import { parseInterval } from './interval.ts';
import { JointCondition } from './joint-condition.ts';
import { refuseNegation } from './last-operand.ts';
import { type Condition, isPlain, type ListValue } from './plan.ts';
import { requireReadable } from './templates.ts';
import type {
  ArithmeticOperator,
  BinaryNode,
  CallNode,
  ComparisonOperator,
  ListNode,
  LogicNode,
  Node,
  TemplateNode,
  UnaryNode,
} from './tree.ts';
import { operandTypeName } from './value-type.ts';
import type { Work } from './work.ts';

/** Operands of AND or OR that are bound between two pauses: each may be a pattern. */
const PAUSE_OPERANDS = 16;

/** The plan of a whole filter. @throws FilterError when the tree is no condition over the schema */
export function bind(context: BindContext, tree: Node): Condition {
  return requireRoot(context, bindNode(context, tree, false));
}

function requireRoot(context: BindContext, bound: Bound): Condition {
  if (bound.kind === 'condition') return bound.condition;
  throw new FilterError(
    `predicate is not a boolean expression: ${shorten(context.text)}, data type: ${boundTypeName(bound)}`,
  );
}

/** As `bind`, with pauses between the operands of AND and OR. */
export function* binding(context: BindContext, tree: Node): Work<Condition> {
  return requireRoot(context, yield* bindingNode(context, tree, false));
}

function* bindingNode(context: BindContext, node: Node, negated: boolean): Work<Bound> {
  if (node.kind === 'unary' && node.operator === 'not') {
    refuseNegation(node.operand);
    return negate(yield* bindingNode(context, node.operand, !negated));
  }
  if (node.kind !== 'logic') return bindNode(context, node, negated);
  const joint = new JointCondition(node, negated);
  for (const [index, operand] of node.operands.entries()) {
    if (index % PAUSE_OPERANDS === 0) yield;
    joint.add(operand, yield* bindingNode(context, operand, negated));
  }
  return asCondition(joint.finish());
}

/** `negated` asks for the condition that is TRUE where the node's own is FALSE; values are not touched by it. */
function bindNode(context: BindContext, node: Node, negated: boolean): Bound {
  switch (node.kind) {
    case 'literal':
      return { kind: 'constant', value: node.value, phase: 'parse' };
    case 'name':
      return { kind: 'operand', operand: bindName(context, node) };
    case 'element':
      return { kind: 'operand', operand: bindElement(context, node) };
    case 'instant':
      return { kind: 'instant', microseconds: parseInstant(node.text, context.timeZone) };
    case 'interval':
      return { kind: 'interval', interval: parseInterval(node.text) };
    case 'template':
      return bindTemplate(context, node);
    case 'list':
      return { kind: 'list', values: bindList(context, node), phase: 'parse' };
    case 'unary':
      return bindUnary(context, node, negated);
    case 'binary':
      return bindBinary(context, node, negated);
    case 'logic':
      return asCondition(bindLogic(context, node, negated));
    case 'range': {
      const left = bindNode(context, node.left, false);
      const { middle } = node;
      const operand = middle.kind === 'name' ? bindName(context, middle) : bindElement(context, middle);
      const right = bindNode(context, node.right, false);
      return asCondition(bindRange(context, node, left, operand, right, negated));
    }
    case 'membership': {
      const left = bindNode(context, node.left, false);
      return asCondition(bindMembership(context, node, left, bindNode(context, node.right, false), negated));
    }
    case 'null-test':
      return asCondition(bindNullTest(context, node, negated));
    case 'call':
      return bindAnyCall(context, node, negated);
  }
}

/** Calls whose operands are no plain values bind these themselves. */
function bindAnyCall(context: BindContext, node: CallNode, negated: boolean): Bound {
  const bindOperand = (operand: Node) => bindNode(context, operand, false);
  if (node.form === 'keyword') {
    if (isTextMatchCall(node.name)) return asCondition(bindTextMatch(context, node, bindOperand, negated));
    if (isGeometryCall(node.name)) return asCondition(bindGeometry(context, node, bindOperand, negated));
    if (isMatchCall(node.name)) return asCondition(bindMatch(context, node, bindOperand, negated));
    if (node.name === 'membership_match') return asCondition(bindMember(context, node, bindOperand, negated));
    if (node.name === 'random_sample') return asCondition(bindSample(context, node, bindOperand));
  }
  return bindCall(context, node, bindOperand, negated);
}

function asCondition(condition: Condition): Bound {
  return { kind: 'condition', condition };
}

function bindTemplate(context: BindContext, node: TemplateNode): Bound {
  const value = context.templates.get(node.name);
  if (value === undefined)
    throw new FilterError(
      `the value of expression template variable name {${node.name}} is not found`,
      'fill',
    );
  if (!context.areTemplatesChecked) requireReadable(node.name, value);
  if (value instanceof Uint8Array) return { kind: 'bytes', template: node.name, bytes: value };
  if (typeof value === 'object') return { kind: 'list', values: value, phase: 'fill' };
  return { kind: 'constant', value, phase: 'fill' };
}

/** The node's own list when it holds bare constants only, which have no height: it may be long. */
function bindList(context: BindContext, node: ListNode): readonly ListValue[] | BigInt64Array {
  const { items } = node;
  if (items instanceof BigInt64Array || node.height === 1)
    return items as readonly ListValue[] | BigInt64Array;
  return items.map((item) => (typeof item === 'object' ? bindItem(context, item) : item));
}

function bindItem(context: BindContext, item: Node): ListValue {
  if (item.kind === 'list') return unpack(bindList(context, item));
  const bound = item.kind === 'template' ? undefined : bindNode(context, item, false);
  if (bound?.kind === 'constant' && bound.phase === 'parse') return bound.value;
  throw new FilterError(`array element type must be generic value, but got: ${context.print(item)}`);
}

function bindUnary(context: BindContext, node: UnaryNode, negated: boolean): Bound {
  const { operator } = node;
  if (operator === 'not') return bindNot(context, node, negated);
  const bound = bindNode(context, node.operand, false);
  if (operator === 'exists') return asCondition(bindExists(context, node, bound, negated));
  if (bound.kind === 'constant')
    return { ...bound, value: foldSign(operator, bound.value, context.print(node)) };
  if (bound.kind === 'operand' && operator === '~') return { ...bound, operand: complement(bound.operand) };
  throw new FilterError(`unsupported expression: ${context.print(node)}`);
}

function bindNot(context: BindContext, node: UnaryNode, negated: boolean): Bound {
  refuseNegation(node.operand);
  return negate(bindNode(context, node.operand, !negated));
}

/** `bound`, of which the opposite was asked for. */
function negate(bound: Bound): Bound {
  if (bound.kind === 'condition') return bound;
  if (bound.kind === 'constant' && typeof bound.value === 'boolean') return { ...bound, value: !bound.value };
  throw new FilterError('not op can only be applied on boolean expression');
}

function bindExists(context: BindContext, node: UnaryNode, bound: Bound, negated: boolean): Condition {
  if (bound.kind !== 'operand' || !isPlain(bound.operand))
    throw new FilterError(
      `exists operations are only supported on single fields now, got: ${context.print(node.operand)}`,
    );
  const { operand } = bound;
  if (operand.kind !== 'path')
    throw new FilterError(
      `exists operations are only supportted on json field, got:${operandTypeName(operand)}`,
    );
  if (operand.steps.length === 0) throw new FilterError('exists operations are only supportted on json key');
  return nullCondition(operand, !negated);
}

function bindLogic(context: BindContext, node: LogicNode, negated: boolean): Condition {
  const joint = new JointCondition(node, negated);
  for (const operand of node.operands) joint.add(operand, bindNode(context, operand, negated));
  return joint.finish();
}

function bindBinary(context: BindContext, node: BinaryNode, negated: boolean): Bound {
  const left = bindNode(context, node.left, false);
  const right = bindNode(context, node.right, false);
  const { operator } = node;
  switch (operator) {
    case 'like':
      return asCondition(bindLike(context, node, left, right, negated));
    case '=~':
    case '!~':
      return asCondition(bindRegex(context, node, left, right, negated));
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return asCondition(
        bindComparison(context, node, operator satisfies ComparisonOperator, left, right, negated),
      );
    default:
      return bindArithmetic(context, node, operator satisfies ArithmeticOperator, left, right);
  }
}
