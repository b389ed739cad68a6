import { dataTypeName } from '@elanus/model';
import { instantOf, isTime, requireInstant, unshift } from './bind-instant.ts';
import { type BindContext, type Bound, incomparable, phaseOf, unpack } from './bound.ts';
import { compareConstants, mirrored, satisfies } from './compare.ts';
import { FilterError } from './filter-error.ts';
import { type Condition, elementTypeOf, type ListValue, type Operand } from './plan.ts';
import type { BinaryNode, ComparisonOperator, Constant, RangeNode } from './tree.ts';
import {
  areComparable,
  castBeside,
  kindOfOperand,
  kindOfType,
  requireCast,
  typeOfConstant,
} from './value-type.ts';

/** `left operator right`; constants change sides so that what varies stands on the left. */
export function bindComparison(
  context: BindContext,
  node: BinaryNode,
  operator: ComparisonOperator,
  left: Bound,
  right: Bound,
  negated: boolean,
): Condition {
  if (left.kind === 'condition' || right.kind === 'condition') throw incomparable(left, right);
  if (isTime(left) || isTime(right) || isInstantText(left, right) || isInstantText(right, left))
    return compareInstant(context, node, operator, left, right, negated);
  if (left.kind === 'operand' && right.kind === 'operand')
    return compareFields(operator, left, right, negated);
  if (left.kind === 'operand') return compareOperand(left.operand, operator, left, right, right, negated);
  if (right.kind === 'operand')
    return compareOperand(right.operand, mirrored(operator), left, right, left, negated);
  if (phaseOf(left, right) === 'fill')
    throw new FilterError(
      `placeholder was not supported between two constants with operator: ${operator}`,
      'fill',
    );
  if (left.kind !== 'constant' || right.kind !== 'constant' || !areSameKind(left.value, right.value))
    throw new FilterError(
      `comparison operations cannot be applied to two incompatible operands: ${context.print(node)}`,
    );
  return decided(satisfies(compareConstants(left.value, right.value), operator) !== negated);
}

/** A condition that is TRUE for every row, or for none. */
export function decided(isTrue: boolean): Condition {
  return isTrue ? { kind: 'always' } : { kind: 'never' };
}

function areSameKind(left: Constant, right: Constant): boolean {
  return areComparable(kindOfType(typeOfConstant(left))!, kindOfType(typeOfConstant(right))!);
}

/** A text beside a Timestamptz field says an instant as its literal does. */
function isInstantText(field: Bound, text: Bound): boolean {
  if (text.kind !== 'constant' || typeof text.value !== 'string' || field.kind !== 'operand') return false;
  return kindOfOperand(field.operand) === 'instant';
}

/** `field operator ISO '...'`, either way round. */
function compareInstant(
  context: BindContext,
  node: BinaryNode,
  operator: ComparisonOperator,
  left: Bound,
  right: Bound,
  negated: boolean,
): Condition {
  const isMirrored = left.kind !== 'operand';
  const [field, fieldNode, side] = isMirrored ? [right, node.right, left] : [left, node.left, right];
  const operand = requireInstant(field, context.print(fieldNode));
  const instant = instantOf(context, side);
  if (instant === undefined) throw incomparable(left, right);
  const alone = unshift(operand, instant);
  return comparison(alone.operand, isMirrored ? mirrored(operator) : operator, alone.instants[0], negated);
}

/** `left` and `right` as written, for messages; `side` is the one that is not the operand. */
function compareOperand(
  operand: Operand,
  operator: ComparisonOperator,
  left: Bound,
  right: Bound,
  side: Bound,
  negated: boolean,
): Condition {
  const kind = kindOfOperand(operand);
  const isOrder = operator !== '==' && operator !== '!=';
  if (isOrder && (kind === 'array' || (side.kind === 'list' && kind === 'json')))
    throw new FilterError('can not comparisons array fields directly');
  if (side.kind === 'list') {
    if (kind !== 'array' && kind !== 'json') throw incomparable(left, right);
    const value = kind === 'array' ? castElements(operand, side) : unpack(side.values);
    return comparison(operand, operator, value, negated);
  }
  if (side.kind !== 'constant' || kind === 'array') throw incomparable(left, right);
  if (!areComparable(kind, kindOfType(typeOfConstant(side.value))!)) throw incomparable(left, right);
  const value = castBeside(operand, side.value, side.phase);
  return comparison(operand, operator, value, negated);
}

/** The values of a list beside an Array field. */
function castElements(operand: Operand, list: Extract<Bound, { kind: 'list' }>): readonly ListValue[] {
  if (operand.kind !== 'column') throw new FilterError('can not comparisons array fields directly');
  const type = elementTypeOf(operand.field);
  return unpack(list.values).map((value) => {
    if (typeof value === 'object')
      throw new FilterError(`cannot cast value to ${dataTypeName(type)}, value: array_val`, list.phase);
    return requireCast(value, type, list.phase);
  });
}

/** `!=` is the negation of `==`, and no operator of its own. */
export function comparison(
  operand: Operand,
  operator: ComparisonOperator,
  value: ListValue,
  negated: boolean,
): Condition {
  if (operator === '!=') return { kind: 'compare', operand, operator: '==', value, negated: !negated };
  return { kind: 'compare', operand, operator, value, negated };
}

function compareFields(
  operator: ComparisonOperator,
  left: Extract<Bound, { kind: 'operand' }>,
  right: Extract<Bound, { kind: 'operand' }>,
  negated: boolean,
): Condition {
  const leftKind = kindOfOperand(left.operand);
  const rightKind = kindOfOperand(right.operand);
  if (leftKind === 'json' || rightKind === 'json')
    throw new FilterError('two column comparison with JSON type is not supported');
  const isOrder = operator !== '==' && operator !== '!=';
  if (leftKind === 'array' || rightKind === 'array')
    throw isOrder ? new FilterError('can not comparisons array fields directly') : incomparable(left, right);
  if (!areComparable(leftKind, rightKind)) throw incomparable(left, right);
  if (left.operand.kind !== 'column' || right.operand.kind !== 'column')
    throw new FilterError('not supported to combine multiple fields');
  return {
    kind: 'compare-fields',
    left: left.operand.field,
    operator,
    right: right.operand.field,
    negated,
  };
}

/** `lower < operand <= upper`, from whichever side it was written. */
export function bindRange(
  context: BindContext,
  node: RangeNode,
  left: Bound,
  operand: Operand,
  right: Bound,
  negated: boolean,
): Condition {
  const isAscending = node.leftOperator[0] === '<';
  const [lower, upper] = isAscending ? [left, right] : [right, left];
  const [lowerNode, upperNode] = isAscending ? [node.left, node.right] : [node.right, node.left];
  const [lowerStrict, upperStrict] = isAscending
    ? [node.leftOperator === '<', node.rightOperator === '<']
    : [node.rightOperator === '>', node.leftOperator === '>'];
  if (isTime(lower) || isTime(upper))
    requireInstant({ kind: 'operand', operand }, context.print(node.middle));
  const low = rangeBound(context, operand, lower);
  const high = rangeBound(context, operand, upper);
  if (low === undefined)
    throw new FilterError(`lowerbound cannot be a non-const expression: ${context.print(lowerNode)}`);
  if (high === undefined)
    throw new FilterError(`upperbound cannot be a non-const expression: ${context.print(upperNode)}`);
  const phase = phaseOf(lower, upper);
  requireRangeKinds(operand, low, high, phase);
  const order = compareConstants(low, high);
  if (order > 0 || (order === 0 && (lowerStrict || upperStrict)))
    throw new FilterError('invalid range: lowerbound is greater than upperbound', phase);
  return {
    kind: 'range',
    operand,
    lower: castBeside(operand, low, phase),
    lowerOperator: lowerStrict ? '>' : '>=',
    upper: castBeside(operand, high, phase),
    upperOperator: upperStrict ? '<' : '<=',
    negated,
  };
}

/** The constant that a bound is; `undefined` when it is none. */
function rangeBound(context: BindContext, operand: Operand, bound: Bound): Constant | undefined {
  if (kindOfOperand(operand) === 'instant') return instantOf(context, bound);
  return bound.kind === 'constant' ? bound.value : undefined;
}

function requireRangeKinds(
  operand: Operand,
  lower: Constant,
  upper: Constant,
  phase: 'parse' | 'fill',
): void {
  const kind = kindOfOperand(operand);
  if (kind === 'instant') return;
  const bounds = [lower, upper];
  if (kind === 'bool' || bounds.some((bound) => typeof bound === 'boolean'))
    throw new FilterError('invalid range operations on boolean expr', phase);
  const isWrong = bounds.some((bound) => {
    if (kind === 'integer') return typeof bound !== 'bigint';
    return !areComparable(kind, kindOfType(typeOfConstant(bound))!);
  });
  if (isWrong || kind === 'array' || !areSameKind(lower, upper))
    throw new FilterError('invalid range operations', phase);
}
