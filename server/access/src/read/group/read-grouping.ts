import { DataType, type FieldSchema, fieldByName, invalidInput, invalidParameter } from '@elanus/model';
import type { Parameters } from '../parameters.ts';
import { type ReadTarget, requireLoaded } from '../read-target.ts';
import type { GroupKey, GroupType } from './group-key.ts';

/** How the hits of a search are grouped. */
export interface Grouping {
  readonly keys: readonly GroupKey[];
  /** Rows of a group at most. */
  readonly size: number;
  /** Whether rows are looked for until every group has `size` of them or all it has. */
  readonly isStrict: boolean;
  /** Whether the client asked by `group_by_fields`, which the answer has another member for. */
  readonly isPlural: boolean;
}

/** `null` when the search is not grouped. @throws MilvusError 1100 */
export function readGrouping(
  target: ReadTarget,
  parameters: Parameters,
  groupSizeMax: number,
): Grouping | null {
  const single = parameters.text('group_by_field');
  const plural = parameters.text('group_by_fields');
  if (single === undefined && plural === undefined) return null;
  const names = single === undefined ? namesIn(plural) : [single.trim()];
  if (names.length === 0) return null;
  if (new Set(names).size < names.length)
    throw invalidParameter(`duplicated field in group_by_fields: ${names.join(',')}`);
  const size = parameters.integer('group_size') ?? 1;
  if (size < 1) throw invalidParameter(`input group size:${size} is non-positive`);
  if (size > groupSizeMax)
    throw invalidParameter(`input group size:${size} exceeds configured max group size:${groupSizeMax}`);
  return {
    keys: names.map((name) => readKey(target, name, parameters)),
    size,
    isStrict: parameters.flag('strict_group_size'),
    isPlural: single === undefined,
  };
}

function namesIn(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

const TYPES: ReadonlyMap<DataType, GroupType> = new Map<DataType, GroupType>([
  [DataType.Bool, 'bool'],
  [DataType.Int8, 'integer'],
  [DataType.Int16, 'integer'],
  [DataType.Int32, 'integer'],
  [DataType.Int64, 'integer'],
  [DataType.VarChar, 'text'],
]);

const SUBSCRIPTED = /^([^[\]]+)((?:\[(?:"[^"\\]*"|'[^'\\]*')\])+)$/;

function readKey(target: ReadTarget, name: string, parameters: Parameters): GroupKey {
  const { schema } = target.collection;
  const [, base = name, subscripts = ''] = SUBSCRIPTED.exec(name) ?? [];
  const found = fieldByName(schema, base);
  const field = found ?? schema.dynamicField;
  if (field === undefined || field === null)
    throw invalidInput('groupBy field not found in schema: invalid parameter');
  requireLoaded(target, [field.id]);
  const ownPath = [...subscripts.matchAll(/\[(?:"([^"]*)"|'([^']*)')\]/g)].map(
    ([, double, single]) => double ?? single ?? '',
  );
  if (field.dataType !== DataType.JSON) {
    const type = TYPES.get(field.dataType);
    if (type === undefined || ownPath.length > 0) throw notGroupable(field);
    return { name, field, path: null, expression: field.name, type, others: 'null' };
  }
  const further = pathIn(parameters.text('json_path'));
  const path = [...(found === undefined ? [base] : []), ...ownPath, ...further];
  if (path.length === 0) throw notGroupable(field);
  const expression = `${field.name}${path.map((step) => `[${JSON.stringify(step)}]`).join('')}`;
  const others = parameters.flag('strict_cast') ? 'refused' : 'null';
  return { name, field, path, expression, type: readJsonType(parameters), others };
}

/** `json_path` as `/a/b` or as `["a"]["b"]`. */
function pathIn(text: string | undefined): string[] {
  if (text === undefined) return [];
  if (text.startsWith('/')) {
    const steps = text.slice(1).split('/');
    return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  const [, , subscripts] = SUBSCRIPTED.exec(text.startsWith('[') ? `x${text}` : text) ?? [];
  if (subscripts === undefined) throw invalidParameter(`json_path [${text}] is invalid`);
  return [...subscripts.matchAll(/\[(?:"([^"]*)"|'([^']*)')\]/g)].map(
    ([, double, single]) => double ?? single ?? '',
  );
}

function readJsonType(parameters: Parameters): GroupType {
  const name = parameters.text('json_type');
  switch (name?.toLowerCase()) {
    case undefined:
      return 'any';
    case 'bool':
      return 'bool';
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return 'integer';
    case 'varchar':
    case 'string':
      return 'text';
    default:
      throw invalidParameter(`unsupported data type ${name} for group by operator`);
  }
}

function notGroupable(field: FieldSchema): Error {
  return invalidParameter(`unsupported data type for group by operator, field: ${field.name}`);
}
