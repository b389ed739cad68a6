import { DataType, dataTypeName } from '@elanus/model';
import { instantOf } from './bind-instant.ts';
import { type BindContext, type Bound, boundTypeName, unpack } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { parseLike } from './like.ts';
import {
  type Condition,
  type ConstantList,
  isPlain,
  type ListValue,
  type Operand,
  type ValueKind,
} from './plan.ts';
import type { BinaryNode, Constant, MembershipNode } from './tree.ts';
import {
  castConstant,
  kindOfOperand,
  kindOfType,
  operandTypeName,
  printConstant,
  typeOfOperand,
} from './value-type.ts';

/** `left in [...]`. */
export function bindMembership(
  context: BindContext,
  node: MembershipNode,
  left: Bound,
  right: Bound,
  negated: boolean,
): Condition {
  if (left.kind !== 'operand' && left.kind !== 'condition')
    throw new FilterError(
      `'term' can only be used on non-const expression, but got: ${context.print(node.left)}`,
    );
  if (left.kind === 'condition' || !isPlain(left.operand))
    throw new FilterError(`'term' can only be used on single field, but got: ${context.print(node.left)}`);
  if (kindOfOperand(left.operand) === 'array')
    throw new FilterError(`term expression is not supported for data type ${operandTypeName(left.operand)}`);
  if (right.kind !== 'list') throw notAList(context, node, right);
  const values =
    kindOfOperand(left.operand) === 'instant'
      ? unpack(right.values).map((value) => instantIn(context, value, right.phase))
      : castValues(right.values, typeOfOperand(left.operand), right.phase);
  return { kind: 'in', operand: left.operand, values, negated: (node.operator === 'not in') !== negated };
}

function instantIn(context: BindContext, value: ListValue, phase: 'parse' | 'fill'): bigint {
  const instant =
    typeof value === 'string' ? instantOf(context, { kind: 'constant', value, phase }) : undefined;
  if (instant === undefined) throw cannotBeCast(value, DataType.Timestamptz, phase);
  return instant;
}

function notAList(context: BindContext, node: MembershipNode, right: Bound): FilterError {
  const printed = context.print(node.right);
  if (right.kind === 'constant' && right.phase === 'fill')
    return new FilterError(`the value of term expression template variable ${printed} is not array`, 'fill');
  return new FilterError(`the right-hand side of 'in' must be a list, but got: ${printed}`);
}

/** The list itself when no value changes: it may be long. */
function castValues(
  values: readonly ListValue[] | BigInt64Array,
  type: DataType,
  phase: 'parse' | 'fill',
): ConstantList {
  const kind = kindOfType(type)!;
  if (values instanceof BigInt64Array) {
    if (kind === 'integer' || kind === 'json') return values;
    if (kind !== 'float') throw cannotBeCast(values[0]!, type, phase);
    return doublesOf(values, type);
  }
  const kept =
    type === DataType.Double && typeof values[0] === 'number' ? 'number' : KEPT_AS_THEY_ARE.get(kind);
  if (kept !== undefined) {
    const wrong = firstOfOtherType(values, kept);
    if (wrong < 0) return values as readonly Constant[];
    if (kind !== 'float') throw cannotBeCast(values[wrong]!, type, phase);
  }
  const cast: Constant[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    const constant = typeof value === 'object' ? undefined : castConstant(value, type);
    if (constant === undefined) throw cannotBeCast(value, type, phase);
    cast.push(constant);
  }
  return cast;
}

/** A loop, because the list may have a million values; -1 when there is none. */
function firstOfOtherType(values: readonly ListValue[], type: string): number {
  for (let index = 0; index < values.length; index++) if (typeof values[index] !== type) return index;
  return -1;
}

/** A loop, because `Array.from` takes ten times as long. */
function doublesOf(values: BigInt64Array, type: DataType): readonly number[] {
  const doubles: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const double = Number(values[index]);
    doubles.push(type === DataType.Float ? Math.fround(double) : double);
  }
  return doubles;
}

/** What a constant must be to need no conversion, by the kind of operand. */
const KEPT_AS_THEY_ARE: ReadonlyMap<ValueKind, string> = new Map([
  ['integer', 'bigint'],
  ['string', 'string'],
  ['bool', 'boolean'],
]);

function cannotBeCast(value: ListValue, type: DataType, phase: 'parse' | 'fill'): FilterError {
  const printed = typeof value === 'object' ? 'array_val' : printConstant(value);
  return new FilterError(`value '${printed}' in list cannot be casted to ${dataTypeName(type)}`, phase);
}

/** `left like "pattern"`. */
export function bindLike(
  context: BindContext,
  node: BinaryNode,
  left: Bound,
  right: Bound,
  negated: boolean,
): Condition {
  if (left.kind === 'operand' && !isPlain(left.operand))
    throw new FilterError('like operation on complicated expr is unsupported');
  if (left.kind !== 'operand' || !isText(left.operand))
    throw new FilterError('like operation on non-string or no-json field is unsupported');
  if (right.kind !== 'constant' || typeof right.value !== 'string')
    throw new FilterError(
      `like pattern should be a string literal or template variable, got: ${context.print(node.right)}`,
      right.kind === 'constant' ? right.phase : 'parse',
    );
  return { kind: 'like', operand: left.operand, pattern: parseLike(right.value), negated };
}

/** What text operators apply to: text columns and elements, and JSON that may hold text. */
export function isText(operand: Operand): boolean {
  const type = typeOfOperand(operand);
  return type === DataType.VarChar || type === DataType.JSON;
}

/** The list that a call needs. @throws FilterError naming `operation` */
export function requireList(bound: Bound, operation: string): readonly ListValue[] | BigInt64Array {
  if (bound.kind === 'list') return bound.values;
  const phase = bound.kind === 'constant' ? bound.phase : 'parse';
  throw new FilterError(
    `${operation} operation element must be an array, but got: ${boundTypeName(bound)}`,
    phase,
  );
}
