import { type Predicate, requiredValues } from '@elanus/expr';
import {
  type CollectionInfo,
  collectionNotLoaded,
  type FieldId,
  type FieldSchema,
  fieldById,
  invalidInput,
  invalidParameter,
  type PartitionId,
  partitionNotLoaded,
  refused,
} from '@elanus/model';
import type { CollectionRef, LoadInfo } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { runAtOnce } from '../rows/sliced-work.ts';
import { bucketsOf } from '../write/key-hash.ts';
import type { Parameters } from './parameters.ts';

/** A loaded collection and what of it one read may touch. */
export interface ReadTarget {
  readonly collection: CollectionInfo;
  readonly load: LoadInfo;
  /** `null`: every partition. */
  readonly partitionIds: readonly PartitionId[] | null;
}

/**
 * Finds what a read names.
 * @throws collectionNotFound, collectionNotLoaded, partitionNotLoaded, 1100 for an unknown partition
 */
export async function findReadTarget(
  { root, query }: Pick<AccessDependencies, 'root' | 'query'>,
  ref: CollectionRef,
  partitionNames: readonly string[],
  kind: 'search' | 'query',
): Promise<ReadTarget> {
  const collection = await root.describeCollection(ref);
  const named = namedPartitions(collection, partitionNames, kind);
  const load = await query.loadInfo(collection.id);
  if (load === undefined) throw collectionNotLoaded(ref.collection);
  return { collection, load, partitionIds: readablePartitions(load, named) };
}

function namedPartitions(
  collection: CollectionInfo,
  names: readonly string[],
  kind: 'search' | 'query',
): readonly { readonly id: PartitionId; readonly name: string }[] {
  if (names.length === 0) return [];
  if (collection.schema.partitionKey) throw partitionsAreHidden(kind);
  return [...new Set(names)].map((name) => partitionNamed(collection, name));
}

/** Milvus 2.6 tells searches and queries the same with different codes. */
function partitionsAreHidden(kind: 'search' | 'query'): Error {
  const text = 'not support manually specifying the partition names if partition key mode is used';
  return kind === 'search' ? refused(text) : invalidParameter(text);
}

function partitionNamed(collection: CollectionInfo, name: string): { id: PartitionId; name: string } {
  const found = collection.partitions.find((partition) => partition.name === name);
  if (found === undefined) throw invalidInput(`partition name ${name} not found`);
  return found;
}

function readablePartitions(
  load: LoadInfo,
  named: readonly { readonly id: PartitionId; readonly name: string }[],
): readonly PartitionId[] | null {
  const { partitions } = load;
  const ids = named.map(({ id }) => id);
  if (partitions === 'all') return ids.length === 0 ? null : ids;
  const missing = named.find(({ id }) => !partitions.has(id));
  if (missing) throw partitionNotLoaded(missing.name);
  return ids.length === 0 ? [...partitions] : ids;
}

/**
 * The partitions that rows of `filter` can be in: of a partition key that the filter binds to values, only
 * those that the values hash to. The filter is still to be applied.
 */
export function partitionsOf(target: ReadTarget, filter: Predicate | null): readonly PartitionId[] | null {
  const { schema, partitions } = target.collection;
  if (filter === null || schema.partitionKey === null) return target.partitionIds;
  const values = requiredValues(filter, schema.partitionKey);
  // A long list reaches every partition anyway.
  if (values === null || values.length > partitions.length) return target.partitionIds;
  const buckets = runAtOnce(bucketsOf(values, partitions.length));
  const ids = new Set(Array.from(buckets, (bucket) => partitions[bucket]!.id));
  return target.partitionIds === null ? [...ids] : target.partitionIds.filter((id) => ids.has(id));
}

/** Refuses the next page of an iterator whose collection another one has taken the name of. */
export function requireSameCollection({ collection }: ReadTarget, parameters: Parameters): void {
  const id = parameters.text('collection_id');
  if (id === undefined || id === collection.id.toString()) return;
  throw invalidParameter(
    'Input collection id is not consistent to collectionID in the context,alias or database may have changed',
  );
}

/** Refuses fields that `load_fields` or `skip_load_dynamic_field` left out. */
export function requireLoaded({ collection, load }: ReadTarget, fields: Iterable<FieldId>): void {
  if (load.fields === 'all') return;
  for (const id of fields) {
    if (load.fields.has(id)) continue;
    throw invalidParameter(`field ${fieldById(collection.schema, id)?.name ?? id} is not loaded`);
  }
}

/** The fields of the schema that this target lets out, `$meta` included, in the schema's order. */
export function loadedFields({ collection, load }: ReadTarget): FieldSchema[] {
  const { fields, dynamicField } = collection.schema;
  const all = dynamicField ? [...fields, dynamicField] : [...fields];
  const loaded = load.fields;
  return loaded === 'all' ? all : all.filter((field) => loaded.has(field.id));
}
