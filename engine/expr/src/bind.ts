import { bindArithmetic, complement } from './bind-arithmetic.ts';
import { bindCall } from './bind-call.ts';
import { bindComparison, bindRange, decided } from './bind-comparison.ts';
import { bindGeometry, isGeometryCall } from './bind-geometry.ts';
import { bindMatch, isMatchCall } from './bind-match.ts';
import { bindLike, bindMembership } from './bind-membership.ts';
import { bindElement, bindName, bindNullTest, nullCondition } from './bind-name.ts';
import { bindRegex } from './bind-regex.ts';
import { bindSample } from './bind-sample.ts';
import { bindTextMatch, isTextMatchCall } from './bind-text-match.ts';
import { type BindContext, type Bound, boundTypeName } from './bound.ts';
import { FilterError, shorten } from './filter-error.ts';
import { foldSign } from './fold.ts';
import { parseInstant } from './instant.ts';
import { parseInterval } from './interval.ts';
import { refuseNegation, requirePlace } from './last-operand.ts';
import { mergeAlternatives } from './merge-alternatives.ts';
import { type Condition, isPlain, type ListValue } from './plan.ts';
import type { TemplateValue } from './templates.ts';
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

/** The plan of a whole filter. @throws FilterError when the tree is no condition over the schema */
export function bind(context: BindContext, tree: Node): Condition {
  const bound = bindNode(context, tree, false);
  if (bound.kind === 'condition') return bound.condition;
  throw new FilterError(
    `predicate is not a boolean expression: ${shorten(context.text)}, data type: ${boundTypeName(bound)}`,
  );
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
  refuseUnreadable(value, node.name);
  if (typeof value === 'object') return { kind: 'list', values: value, phase: 'fill' };
  return { kind: 'constant', value, phase: 'fill' };
}

/** What no literal could say either. */
function refuseUnreadable(value: TemplateValue, name: string): void {
  if (typeof value === 'object') for (const item of value) refuseUnreadable(item, name);
  else if (typeof value === 'number' && !Number.isFinite(value))
    throw new FilterError(
      `the value of expression template variable {${name}} is not a finite number`,
      'fill',
    );
  else if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
    throw new FilterError(`the value of expression template variable {${name}} is out of range`, 'fill');
}

/** The node's own list when it holds bare constants only: it may be long. */
function bindList(context: BindContext, node: ListNode): readonly ListValue[] {
  if (node.items.every((item) => typeof item !== 'object')) return node.items as readonly ListValue[];
  return node.items.map((item) => (typeof item === 'object' ? bindItem(context, item) : item));
}

function bindItem(context: BindContext, item: Node): ListValue {
  if (item.kind === 'list') return bindList(context, item);
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
  const bound = bindNode(context, node.operand, !negated);
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
  const operands: Condition[] = [];
  const isAnd = (node.operator === 'and') !== negated;
  const kind = isAnd ? 'and' : 'or';
  // What decides the whole, and what changes nothing.
  const [decisive, neutral] = isAnd ? ['never', 'always'] : ['always', 'never'];
  let isDecided = false;
  for (const operandNode of node.operands) {
    const condition = requireCondition(bindNode(context, operandNode, negated), node.operator, negated);
    requirePlace(operandNode, node);
    if (condition.kind === decisive) isDecided = true;
    else if (condition.kind === kind) for (const operand of condition.operands) operands.push(operand);
    else if (condition.kind !== neutral) operands.push(condition);
  }
  if (isDecided || operands.length === 0) return decided(isAnd !== isDecided);
  const merged = mergeAlternatives(kind, operands);
  return merged.length === 1 ? merged[0]! : { kind, operands: merged };
}

function requireCondition(bound: Bound, operator: 'and' | 'or', negated: boolean): Condition {
  if (bound.kind === 'condition') return bound.condition;
  if (bound.kind === 'constant' && typeof bound.value === 'boolean') return decided(bound.value !== negated);
  throw new FilterError(`'${operator}' can only be used between boolean expressions`);
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
