import {
  type Column,
  DataType,
  type FieldSchema,
  invalidInput,
  invalidParameter,
  isVector,
  type MetricType,
  type Timestamp,
} from '@elanus/model';
import type { schema_IDs } from '@elanus/proto';
import type { QueryVectors } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { gatherRows } from '../rows/gather-rows.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { keyAt } from './hits.ts';
import { checkCompared } from './list-search.ts';
import { OWN_VALUE, planOwnFilter } from './own-filter.ts';
import type { ReadTarget } from './read-target.ts';

/** Keys that a message names at most. */
const NAMED_MAX = 10;

/**
 * The vectors that rows have in `field`, in the order of their keys, which may be there more than once: queries of a
 * search by primary keys.
 * @throws MilvusError 1100 when there are no such rows, or one has no vector
 */
export async function storedQueries(
  dependencies: Pick<AccessDependencies, 'root' | 'reader' | 'share'>,
  { collection, partitionIds }: ReadTarget,
  { field, metric }: { readonly field: FieldSchema; readonly metric: MetricType },
  ids: schema_IDs,
  snapshot: Timestamp | null,
): Promise<QueryVectors> {
  const { schema } = collection;
  const keys = keysIn(ids, schema.primaryKey);
  const name = `${OWN_VALUE}keys`;
  const condition = {
    text: `${schema.primaryKey.name} in {${name}}`,
    values: new Map([[name, [...new Set(keys)]]]),
  };
  const filter = await planOwnFilter(dependencies, schema, condition);
  const guarantee = await dependencies.root.allocateTimestamp();
  const task = { collection, partitionIds, guarantee, snapshot, filter };
  const rows = await dependencies.reader.query({ ...task, limit: null, offset: 0 });
  const places = new Map(
    Array.from({ length: rows.keys.length }, (_, row) => [keyAt(rows.keys, row), row] as const),
  );
  const missing = keys.filter((key) => !places.has(key));
  if (missing.length > 0) throw rowsMissing(missing);
  const columns = await dependencies.reader.fetch(collection.id, rows.locations, [field.id]);
  const column = columns.get(field.id)!;
  const positions = Uint32Array.from(keys, (key) => places.get(key)!);
  const empty = keys.filter((_, at) => isWithoutVector(column, positions[at]!));
  if (empty.length > 0) throw invalidParameter(`rows without a vector in ${field.name}: [${shown(empty)}]`);
  const queries = asQueries(await runInSlices(gatherRows(column, positions), dependencies.share));
  checkCompared(queries, field, metric);
  return queries;
}

function keysIn({ intId, strId }: schema_IDs, primaryKey: FieldSchema): readonly (bigint | string)[] {
  const keys = primaryKey.dataType === DataType.Int64 ? intId?.data : strId?.data;
  if (keys === undefined)
    throw invalidParameter(`the type of ids does not match the primary key ${primaryKey.name}`);
  if (keys.length === 0) throw invalidParameter('ids must not be empty');
  return keys;
}

function isWithoutVector(column: Column, row: number): boolean {
  if (column.validity?.[row] === 0) return true;
  return column.dataType === DataType.ArrayOfVector && column.offsets[row] === column.offsets[row + 1];
}

function asQueries(column: Column): QueryVectors {
  if (column.dataType === DataType.ArrayOfVector)
    return { ...asQueries(column.elements), count: column.length, lists: column.offsets };
  const { dataType, length } = column;
  if (!isVector(dataType) || !('bytes' in column)) throw new TypeError(`${dataType} is no type of vectors`);
  return {
    dataType,
    dim: 'dim' in column ? column.dim : null,
    count: length,
    bytes: column.bytes,
    offsets: 'offsets' in column ? column.offsets : null,
  };
}

function rowsMissing(keys: readonly (bigint | string)[]): Error {
  return invalidInput(
    `some of the provided primary key IDs do not exist: missing IDs = [${shown(keys)}]: invalid parameter`,
  );
}

function shown(keys: readonly (bigint | string)[]): string {
  const more = keys.length > NAMED_MAX ? ', …' : '';
  return keys.slice(0, NAMED_MAX).join(', ') + more;
}
