import { type DataType, dataTypeName } from '@elanus/model';
import { comparison } from './bind-comparison.ts';
import { isText, requireList } from './bind-membership.ts';
import { type BindContext, type Bound, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { escapeLike, parseLike } from './like.ts';
import { type ColumnOperand, elementTypeOf, type ListValue, type PathOperand } from './plan.ts';
import type { CallNode } from './tree.ts';
import { areComparable, kindOfOperand, kindOfType, requireCast, typeOfConstant } from './value-type.ts';

/** A call whose operands are bound already. */
export function bindCall(
  context: BindContext,
  node: CallNode,
  operands: readonly Bound[],
  negated: boolean,
): Bound {
  switch (node.name) {
    case 'array_length':
      return bindLength(context, node, operands);
    case 'json_contains':
    case 'array_contains':
      return bindContains(context, node, operands, 'one', negated);
    case 'json_contains_all':
    case 'array_contains_all':
      return bindContains(context, node, operands, 'all', negated);
    case 'json_contains_any':
    case 'array_contains_any':
      return bindContains(context, node, operands, 'any', negated);
    case 'starts_with':
      return bindStartsWith(context, node, operands, negated);
    case 'empty':
      return bindEmpty(context, node, operands, negated);
    default:
      throw new FilterError(`unknown function: ${node.name}`);
  }
}

/** Arrays and what may be one. */
function asArray(bound: Bound | undefined): ColumnOperand | PathOperand | undefined {
  if (bound?.kind !== 'operand') return undefined;
  const { operand } = bound;
  if (operand.kind === 'path') return operand;
  return operand.kind === 'column' && kindOfOperand(operand) === 'array' ? operand : undefined;
}

function printOperand(context: BindContext, node: CallNode): string {
  const [first] = node.operands;
  return first === undefined ? '' : context.print(first);
}

function requireCount(context: BindContext, node: CallNode, count: number): void {
  if (node.operands.length === count) return;
  throw new FilterError(`${node.name} takes ${count} operands, but got: ${context.print(node)}`);
}

function bindLength(context: BindContext, node: CallNode, operands: readonly Bound[]): Bound {
  requireCount(context, node, 1);
  const of = asArray(operands[0]);
  if (of === undefined)
    throw new FilterError(
      'array_length operation are only supported on json, array or array-of-vector fields now,' +
        ` got: ${printOperand(context, node)}`,
    );
  return { kind: 'operand', operand: { kind: 'length', of } };
}

const CONTAINS = {
  one: { call: 'contains', name: 'Contains' },
  all: { call: 'contains_all', name: 'ContainsAll' },
  any: { call: 'contains_any', name: 'ContainsAny' },
} as const;

function bindContains(
  context: BindContext,
  node: CallNode,
  operands: readonly Bound[],
  mode: 'one' | 'all' | 'any',
  negated: boolean,
): Bound {
  requireCount(context, node, 2);
  const operand = asArray(operands[0]);
  if (operand === undefined)
    throw new FilterError(
      `${CONTAINS[mode].call} operation are only supported on json or array fields now,` +
        ` got: ${printOperand(context, node)}`,
    );
  const second = operands[1]!;
  const values = mode === 'one' ? [singleValue(second)] : requireList(second, CONTAINS[mode].name);
  const cast =
    operand.kind === 'column' ? castElements(values, elementTypeOf(operand.field), mode, second) : values;
  const condition = {
    kind: 'contains',
    operand,
    mode: mode === 'all' ? 'all' : 'any',
    values: cast,
    negated,
  } as const;
  return { kind: 'condition', condition };
}

function singleValue(bound: Bound): ListValue {
  if (bound.kind === 'constant') return bound.value;
  if (bound.kind === 'list') return bound.values;
  throw new FilterError('contains operation element must be a constant');
}

function castElements(
  values: readonly ListValue[],
  type: DataType,
  mode: 'one' | 'all' | 'any',
  source: Bound,
): readonly ListValue[] {
  const phase = phaseOf(source);
  return values.map((value) => {
    if (typeof value === 'object')
      throw new FilterError(`cannot cast value to ${dataTypeName(type)}, value: array_val`, phase);
    const valueType = typeOfConstant(value);
    if (mode !== 'one' && !areComparable(kindOfType(type)!, kindOfType(valueType)!))
      throw new FilterError(
        `${CONTAINS[mode].name} operation can't compare between array element type:` +
          ` ${dataTypeName(type)} and ${dataTypeName(valueType)}`,
        phase,
      );
    return requireCast(value, type, phase);
  });
}

function bindStartsWith(
  context: BindContext,
  node: CallNode,
  operands: readonly Bound[],
  negated: boolean,
): Bound {
  requireCount(context, node, 2);
  const [text, prefix] = operands;
  if (text?.kind !== 'operand' || text.operand.kind !== 'column' || !isText(text.operand))
    throw new FilterError(`starts_with applies to VarChar fields only, got: ${printOperand(context, node)}`);
  if (prefix?.kind !== 'constant' || typeof prefix.value !== 'string')
    throw new FilterError('the prefix of starts_with must be a string');
  const pattern = parseLike(`${escapeLike(prefix.value)}%`);
  return { kind: 'condition', condition: { kind: 'like', operand: text.operand, pattern, negated } };
}

function bindEmpty(
  context: BindContext,
  node: CallNode,
  operands: readonly Bound[],
  negated: boolean,
): Bound {
  requireCount(context, node, 1);
  const [text] = operands;
  if (text?.kind !== 'operand' || text.operand.kind !== 'column' || !isText(text.operand))
    throw new FilterError(`empty applies to VarChar fields only, got: ${printOperand(context, node)}`);
  return { kind: 'condition', condition: comparison(text.operand, '==', '', negated) };
}
