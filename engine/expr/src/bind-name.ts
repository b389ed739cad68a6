import { DataType, DYNAMIC_FIELD_NAME, dataTypeName, type FieldSchema, isArray } from '@elanus/model';
import type { BindContext } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { type ColumnOperand, type Condition, elementTypeOf, type Operand, type PathOperand } from './plan.ts';
import type { ElementNode, NameNode, NullTestNode } from './tree.ts';
import { kindOfType } from './value-type.ts';

/** What a name stands for: a declared field before an undeclared key. */
export function bindName(context: BindContext, node: NameNode): Operand {
  const { schema } = context;
  if (context.scope !== null)
    throw new FilterError(
      `only elements of ${context.scope.name} can be used inside ${context.scope.call}, but got: ${context.print(node)}`,
    );
  if (node.steps.some((step) => step.text === '')) throw invalidIdentifier(context, node);
  if (node.steps.some((step) => step.form === 'field')) return bindSubField(context, node);
  if (node.name === DYNAMIC_FIELD_NAME) return bindPath(context, dynamicField(context, node), texts(node));
  const field = schema.fields.find(({ name }) => name === node.name);
  if (field !== undefined) return bindField(context, field, node);
  if (node.steps.length === 0 && (node.name === 'null' || node.name === 'NULL'))
    throw new FilterError(
      "NULL literal is not supported in expressions; use '<field> is null' or '<field> is not null' instead",
    );
  return bindPath(context, dynamicField(context, node), [node.name, ...texts(node)]);
}

function bindField(context: BindContext, field: FieldSchema, node: NameNode): Operand {
  refuseUnreadable(field);
  if (field.dataType === DataType.JSON) return bindPath(context, field, texts(node));
  context.fieldIds.add(field.id);
  if (node.steps.length === 0) return { kind: 'column', field };
  if (field.dataType !== DataType.Array)
    throw new FilterError(`${dataTypeName(field.dataType)} data type not supported accessed with []`);
  const [step, ...more] = node.steps;
  if (step!.form !== 'index' || more.length > 0)
    throw new FilterError('can only access array field with integer index');
  return { kind: 'element', field, index: Number(step!.text) };
}

/**
 * `s[sub]`, an array, or `s[0][sub]`, one of its elements. The sub-fields of an array of structs are Array fields
 * under these very names, of equal length in every row.
 */
function bindSubField(context: BindContext, node: NameNode): Operand {
  const { steps } = node;
  const [first, second] = steps;
  const subField = first!.form === 'field' ? first! : second!;
  const field = context.schema.fields.find(({ name }) => name === `${node.name}[${subField.text}]`);
  const isWhole = steps.length === 1 && first!.form === 'field';
  const isElement = steps.length === 2 && first!.form === 'index' && second!.form === 'field';
  if (field === undefined || !(isWhole || isElement)) throw unknownSubField(context.print(node));
  refuseUnreadable(field);
  context.fieldIds.add(field.id);
  return isWhole ? { kind: 'column', field } : { kind: 'element', field, index: Number(first!.text) };
}

function unknownSubField(printed: string): FilterError {
  return new FilterError(`struct field not found: ${printed}`);
}

/** The sub-fields of the array of structs called `name`; none when there is no such array. */
export function subFieldsOf(context: BindContext, name: string): readonly FieldSchema[] {
  const { fields } = context.schema;
  if (fields.some((field) => field.name === name)) return [];
  return fields.filter((field) => isArray(field.dataType) && field.name.startsWith(`${name}[`));
}

/** `$` or `$[sub]`: a column of the elements, under the array's own id. */
export function bindElement(context: BindContext, node: ElementNode): ColumnOperand {
  const { scope } = context;
  if (scope === null) throw new FilterError('$[x] syntax can only be used inside ElementFilter or MATCH_*');
  const name = node.field === null ? scope.name : `${scope.name}[${node.field}]`;
  const array =
    node.field === null ? scope.array : subFieldsOf(context, scope.name).find((field) => field.name === name);
  if (array == null || array.dataType !== DataType.Array)
    throw unknownSubField(node.field === null ? `${name}[$]` : name);
  context.fieldIds.add(array.id);
  scope.fields.add(array);
  const element = { ...array, dataType: elementTypeOf(array), elementType: null, nullable: false };
  return { kind: 'column', field: element };
}

function refuseUnreadable(field: FieldSchema): void {
  if (field.dataType === DataType.Text)
    throw new FilterError(`filter on text field (${field.name}) is not supported yet`);
  if (kindOfType(field.dataType) === undefined)
    throw new FilterError(
      `filter on field ${field.name} of type ${dataTypeName(field.dataType)} is not supported`,
    );
}

function bindPath(context: BindContext, field: FieldSchema, steps: readonly string[]): PathOperand {
  context.fieldIds.add(field.id);
  return { kind: 'path', field, steps };
}

function dynamicField(context: BindContext, node: NameNode): FieldSchema {
  const field = context.schema.dynamicField;
  if (field === null) throw new FilterError(`field ${node.name} not exist`);
  return field;
}

function texts(node: NameNode): readonly string[] {
  return node.steps.map((step) => step.text);
}

function invalidIdentifier(context: BindContext, node: NameNode): FilterError {
  return new FilterError(`invalid identifier: ${context.print(node)}`);
}

/** `name is [not] null`, which is never UNKNOWN. */
export function bindNullTest(context: BindContext, node: NullTestNode, negated: boolean): Condition {
  const operand = bindNullable(context, node.operand) ?? bindName(context, node.operand);
  if (operand.kind !== 'column' && operand.kind !== 'path')
    throw new FilterError(
      `IsNull/IsNotNull operations are not supported on array element access, got: ${context.print(node.operand)}`,
    );
  return nullCondition(operand, (node.operator === 'is not null') !== negated);
}

/** A column that nothing but nulls is asked of: a shape, or one that is null where the array of structs of that name is. */
function bindNullable(context: BindContext, { name, steps }: NameNode): ColumnOperand | undefined {
  if (steps.length > 0 || context.scope !== null) return undefined;
  const isShape = (field: FieldSchema) => field.name === name && field.dataType === DataType.Geometry;
  const field = context.schema.fields.find(isShape) ?? subFieldsOf(context, name)[0];
  if (field === undefined) return undefined;
  context.fieldIds.add(field.id);
  return { kind: 'column', field };
}

/** Whether `operand` has no value. */
export function nullCondition(operand: ColumnOperand | PathOperand, negated: boolean): Condition {
  const isWhole = operand.kind === 'path' && operand.steps.length === 0;
  return { kind: 'is-null', operand: isWhole ? { kind: 'column', field: operand.field } : operand, negated };
}
