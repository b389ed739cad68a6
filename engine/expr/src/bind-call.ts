import { DataType, dataTypeName, type FieldSchema, plainFieldName } from '@elanus/model';
import { comparison } from './bind-comparison.ts';
import { isText, requireList } from './bind-membership.ts';
import { subFieldsOf } from './bind-name.ts';
import { type BindContext, type Bound, phaseOf, unpack } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { escapeLike, parseLike } from './like.ts';
import {
  type ColumnOperand,
  type ContainsLeaf,
  elementTypeOf,
  type ListValue,
  type PathOperand,
} from './plan.ts';
import type { CallNode, NameNode, Node } from './tree.ts';
import { areComparable, kindOfOperand, kindOfType, requireCast, typeOfConstant } from './value-type.ts';

/** A call of a function whose operands are values. */
export function bindCall(
  context: BindContext,
  node: CallNode,
  bindOperand: (operand: Node) => Bound,
  negated: boolean,
): Bound {
  const bindOperands = () => node.operands.map(bindOperand);
  refuseOptions(node);
  if (node.form === 'free')
    switch (node.name) {
      case 'starts_with':
        return bindStartsWith(context, node, bindOperands(), negated);
      case 'empty':
        return bindEmpty(context, node, bindOperands(), negated);
      default:
        throw new FilterError(`unknown function: ${node.name}`);
    }
  switch (node.name) {
    case 'array_length':
      return bindLength(context, node, bindArray(context, node, bindOperand));
    case 'json_contains':
    case 'array_contains':
      return bindContains(context, node, bindOperands(), 'one', negated);
    case 'json_contains_all':
    case 'array_contains_all':
      return bindContains(context, node, bindOperands(), 'all', negated);
    case 'json_contains_any':
    case 'array_contains_any':
      return bindContains(context, node, bindOperands(), 'any', negated);
    default:
      throw new TypeError(`${node.name} is no keyword`);
  }
}

/** @throws FilterError for an option that the call does not have */
export function refuseOptions(node: CallNode, known?: string): void {
  const unknown = node.options.find(({ name }) => name !== known);
  if (unknown !== undefined) throw new FilterError(`${node.name} has no option ${unknown.name}`);
}

/** The operand of `array_length`, which may be a whole array of structs, or its vectors. */
function bindArray(context: BindContext, node: CallNode, bindOperand: (operand: Node) => Bound): Bound {
  requireCount(context, node, 1);
  const operand = node.operands[0]!;
  const array = operand.kind === 'name' ? structArrayNamed(context, operand) : undefined;
  if (array === undefined) return bindOperand(operand);
  context.fieldIds.add(array.id);
  return { kind: 'operand', operand: { kind: 'column', field: array } };
}

/** Of `s` some sub-field, all being of equal length; of `s[vectors]` that one. */
function structArrayNamed(context: BindContext, { name, steps }: NameNode): FieldSchema | undefined {
  const subFields = subFieldsOf(context, name);
  const [step] = steps;
  if (step === undefined) return subFields[0];
  if (steps.length > 1 || step.form !== 'field') return undefined;
  const field = subFields.find((each) => plainFieldName(each) === step.text);
  return field?.dataType === DataType.ArrayOfVector ? field : undefined;
}

/** Arrays and what may be one. */
function asArray(bound: Bound | undefined): ColumnOperand | PathOperand | undefined {
  if (bound?.kind !== 'operand') return undefined;
  const { operand } = bound;
  if (operand.kind === 'path') return operand;
  return operand.kind === 'column' && kindOfOperand(operand) === 'array' ? operand : undefined;
}

function asVectorArray(bound: Bound): ColumnOperand | undefined {
  const operand = bound.kind === 'operand' ? bound.operand : undefined;
  return operand?.kind === 'column' && operand.field.dataType === DataType.ArrayOfVector
    ? operand
    : undefined;
}

function printOperand(context: BindContext, node: CallNode): string {
  const [first] = node.operands;
  return first === undefined ? '' : context.print(first);
}

/** @throws FilterError unless the call has as many operands */
export function requireCount(context: BindContext, node: CallNode, count: number): void {
  if (node.operands.length === count) return;
  throw new FilterError(`${node.name} takes ${count} operands, but got: ${context.print(node)}`);
}

function bindLength(context: BindContext, node: CallNode, operand: Bound): Bound {
  const of = asArray(operand) ?? asVectorArray(operand);
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
  if (bound.kind === 'list') return unpack(bound.values);
  throw new FilterError('contains operation element must be a constant');
}

/** The list itself when no value changes: it may be long. */
function castElements(
  values: ContainsLeaf['values'],
  type: DataType,
  mode: 'one' | 'all' | 'any',
  source: Bound,
): ContainsLeaf['values'] {
  const phase = phaseOf(source);
  if (kindOfType(type) === 'integer' && areIntegers(values)) return values;
  return unpack(values).map((value) => {
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

function areIntegers(values: ContainsLeaf['values']): boolean {
  if (values instanceof BigInt64Array) return true;
  for (let at = 0; at < values.length; at++) if (typeof values[at] !== 'bigint') return false;
  return true;
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
