import { DataType, dataTypeName } from '@elanus/model';
import type { BloomSet } from './bloom-set.ts';
import type { BindContext, Bound } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { type MemberSet, type MemberSetKind, readingMemberSet } from './member-set.ts';
import type { ColumnOperand, Condition, Operand, PathOperand } from './plan.ts';
import type { CallNode, Node } from './tree.ts';
import { kindOfOperand, typeOfOperand } from './value-type.ts';
import { runAtOnce } from './work.ts';

const NAME = 'membership_match';

/** `membership_match(field, {set}, type=bloom|roaring)`, whose set the client has packed. */
export function bindMember(
  context: BindContext,
  node: CallNode,
  bindOperand: (operand: Node) => Bound,
  negated: boolean,
): Condition {
  if (context.scope !== null) throw new FilterError(`${NAME} is not supported inside ${context.scope.call}`);
  if (node.operands.length !== 2)
    throw new FilterError(
      `${NAME} requires exactly 2 positional arguments; use type=bloom|roaring for the optional kind`,
    );
  const [field, template] = node.operands as readonly [Node, Node];
  const printed = context.print(field);
  const bound = bindOperand(field);
  if (bound.kind !== 'operand')
    throw new FilterError(`the first argument of ${NAME} must be a scalar field name, got: ${printed}`);
  const wanted = wantedKind(node);
  const set = setOf(context, template, bindOperand);
  if (wanted !== null && wanted !== set.kind)
    throw new FilterError(`${NAME} type "${wanted}" does not match filter blob format`, 'fill');
  const operand = requireOperand(bound.operand, printed, set);
  if (set.kind === 'bloom') {
    requireDomain(operand, set);
    context.isExact = false;
  }
  return { kind: 'member', operand, set, negated };
}

/** What `type=` says the set is; `null` when it is not said. */
function wantedKind({ options }: CallNode): MemberSetKind | null {
  const [option, more] = options;
  if (option === undefined) return null;
  const { value } = option;
  const kind =
    value.kind === 'name' && value.steps.length === 0
      ? value.name.toLowerCase()
      : value.kind === 'literal'
        ? value.value
        : undefined;
  if (option.name.toLowerCase() === 'type' && more === undefined && (kind === 'bloom' || kind === 'roaring'))
    return kind;
  throw new FilterError(`malformed ${NAME} call: type must be bloom or roaring`);
}

function setOf(context: BindContext, node: Node, bindOperand: (operand: Node) => Bound): MemberSet {
  // What else may stand there is not repeated: it may be a list of whom nobody is to know.
  if (node.kind !== 'template')
    throw new FilterError(
      `the second argument of ${NAME} must be a {template} placeholder carrying a client pre-built membership filter blob`,
    );
  const bound = bindOperand(node);
  if (bound.kind !== 'bytes')
    throw new FilterError(
      `the value of ${NAME} template variable {${node.name}} must be a client pre-built membership filter blob (bytes)`,
      'fill',
    );
  const read = context.memberSets.get(bound.template) ?? runAtOnce(readingMemberSet(bound.bytes));
  if (read instanceof FilterError) throw read;
  context.memberSets.set(bound.template, read);
  return read;
}

/** @throws FilterError for what values of the set's kind can't be in */
function requireOperand(operand: Operand, printed: string, set: MemberSet): ColumnOperand | PathOperand {
  const isJson = operand.kind === 'path';
  if (set.kind === 'roaring' && isJson)
    throw new FilterError(`${NAME} is not supported on JSON or dynamic fields, got: ${printed}`, 'fill');
  if (!isJson && operand.kind !== 'column')
    throw new FilterError(
      `${NAME} does not support nested paths on non-JSON fields, got: ${printed}`,
      'fill',
    );
  const isText = operand.kind === 'column' && operand.field.dataType === DataType.VarChar;
  if (isJson || kindOfOperand(operand) === 'integer' || (isText && set.kind === 'bloom')) return operand;
  const types =
    set.kind === 'bloom'
      ? 'INT8/INT16/INT32/INT64/VARCHAR fields and JSON paths'
      : 'INT8/INT16/INT32/INT64 fields';
  throw new FilterError(
    `${NAME} only supports ${types}, but field (${printed}) is of type ${dataTypeName(typeOfOperand(operand))}`,
    'fill',
  );
}

/** A set of texts says nothing of integers. @throws FilterError when no value of the column could be found */
function requireDomain(operand: ColumnOperand | PathOperand, { hasIntegers, hasTexts }: BloomSet): void {
  if (operand.kind === 'path' || (!hasIntegers && !hasTexts)) return;
  const isText = operand.field.dataType === DataType.VarChar;
  if (isText ? hasTexts : hasIntegers) return;
  const [built, needed] = isText ? ['int64', 'utf8'] : ['utf8', 'int64'];
  throw new FilterError(
    `${NAME} filter blob was built from the ${built} value domain but field (${dataTypeName(operand.field.dataType)})` +
      ` requires the ${needed} domain; rebuild the filter from values of the field's type`,
    'fill',
  );
}
