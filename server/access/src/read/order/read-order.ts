import { DataType, fieldByName, invalidInput, invalidParameter } from '@elanus/model';
import type { OrderKey } from '@elanus/rpc';
import { type ReadTarget, requireLoaded } from '../read-target.ts';

/** What of an entry `name[:asc|desc[:nulls_first|nulls_last]]` does not depend on the schema. */
export type OrderEntry = Pick<OrderKey, 'direction' | 'nulls'> & { readonly name: string };

/**
 * The entries of `order_by_fields`: ascending unless they say otherwise, nulls last.
 * @throws MilvusError 1100 for an entry of another form, or a name that is there twice
 */
export function readOrderEntries(text: string | undefined): readonly OrderEntry[] {
  if (text === undefined) return [];
  const entries = text.split(',').map((entry) => readEntry(entry.trim()));
  const names = entries.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw invalidParameter(`duplicated field in order_by_fields: ${twice}`);
  return entries;
}

function readEntry(entry: string): OrderEntry {
  const [name = '', direction = 'asc', nulls = 'nulls_last', ...rest] = entry
    .split(':')
    .map((part) => part.trim());
  if (name === '' || rest.length > 0) throw invalidParameter(`invalid order_by_fields entry: ${entry}`);
  return { name, direction: directionOf(direction, entry), nulls: nullsOf(nulls, entry) };
}

function directionOf(text: string, entry: string): OrderKey['direction'] {
  switch (text.toLowerCase()) {
    case 'asc':
      return 'ascending';
    case 'desc':
      return 'descending';
    default:
      throw invalidParameter(`invalid order_by_fields entry: ${entry}, the direction must be asc or desc`);
  }
}

function nullsOf(text: string, entry: string): OrderKey['nulls'] {
  switch (text.toLowerCase()) {
    case 'nulls_first':
      return 'first';
    case 'nulls_last':
      return 'last';
    default:
      throw invalidParameter(
        `invalid order_by_fields entry: ${entry}, nulls must be nulls_first or nulls_last`,
      );
  }
}

const UNORDERED: ReadonlySet<DataType> = new Set<DataType>([
  DataType.Array,
  DataType.JSON,
  DataType.Geometry,
  DataType.BinaryVector,
  DataType.FloatVector,
  DataType.Float16Vector,
  DataType.BFloat16Vector,
  DataType.SparseFloatVector,
  DataType.Int8Vector,
  DataType.ArrayOfVector,
  DataType.ArrayOfStruct,
  DataType.Struct,
]);

/** Whether values of the type have an order. */
export function isOrdered(type: DataType): boolean {
  return !UNORDERED.has(type);
}

/** The fields that `entries` name. @throws MilvusError 1100 for no field, or one whose values have no order */
export function orderOf(target: ReadTarget, entries: readonly OrderEntry[]): readonly OrderKey[] {
  return entries.map(({ name, direction, nulls }) => {
    const field = fieldByName(target.collection.schema, name);
    if (field === undefined) throw invalidInput(`order_by field ${name} does not exist: invalid parameter`);
    if (!isOrdered(field.dataType))
      throw invalidParameter(`order_by field ${name} has a type that can't be sorted`);
    requireLoaded(target, [field.id]);
    return { field: field.id, direction, nulls };
  });
}
