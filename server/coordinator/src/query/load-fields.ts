import {
  type CollectionSchema,
  type FieldId,
  type FieldSchema,
  fieldByName,
  invalidParameter,
  isVector,
  subFieldsOf,
} from '@elanus/model';
import type { LoadRequest } from '@elanus/rpc';

/** Fields that readers of a load may touch. */
export type LoadFields = 'all' | ReadonlySet<FieldId>;

/**
 * The fields that `request` asks for: all of them, or those named plus `$meta` unless it is skipped.
 * @throws MilvusError 1100 when a field is unknown, or the primary key, the partition key or every
 * vector is left out
 */
export function loadFieldsOf(schema: CollectionSchema, request: LoadRequest): LoadFields {
  const named = request.fields.length === 0 ? schema.fields : namedFields(schema, request.fields);
  const dynamic = schema.dynamicField !== null && !request.skipDynamicField ? [schema.dynamicField] : [];
  if (request.fields.length > 0) checkNamedFields(schema, request.fields, named);

  const ids = new Set([...named, ...dynamic].map(({ id }) => id));
  const total = schema.fields.length + (schema.dynamicField === null ? 0 : 1);
  return ids.size === total ? 'all' : ids;
}

export function sameLoadFields(left: LoadFields, right: LoadFields): boolean {
  if (left === 'all' || right === 'all') return left === right;
  return left.size === right.size && left.isSubsetOf(right);
}

/** For messages: `[100 101]`, in the order of the schema. */
export function describeLoadFields(schema: CollectionSchema, fields: LoadFields): string {
  const dynamic = schema.dynamicField === null ? [] : [schema.dynamicField];
  const ids = [...schema.fields, ...dynamic].map(({ id }) => id).filter((id) => isFieldLoaded(fields, id));
  return `[${ids.join(' ')}]`;
}

export function isFieldLoaded(fields: LoadFields, id: FieldId): boolean {
  return fields === 'all' || fields.has(id);
}

function namedFields(schema: CollectionSchema, names: readonly string[]): readonly FieldSchema[] {
  return names.flatMap((name) => {
    const struct = schema.structArrays.find((each) => each.name === name);
    if (struct !== undefined) return subFieldsOf(schema, struct);
    const field = fieldByName(schema, name);
    if (field === undefined) {
      throw invalidParameter(`failed to get field schema by name: fieldName(${name}) not found`);
    }
    return field;
  });
}

function checkNamedFields(
  schema: CollectionSchema,
  names: readonly string[],
  fields: readonly FieldSchema[],
): void {
  const missing = (what: string) =>
    invalidParameter(`load field list [${names.join(' ')}] does not contain ${what}`);
  if (!fields.some(({ isPrimaryKey }) => isPrimaryKey)) {
    throw missing(`primary key field ${schema.primaryKey.name}`);
  }
  if (schema.partitionKey !== null && !fields.some(({ isPartitionKey }) => isPartitionKey)) {
    throw missing(`partition key field ${schema.partitionKey.name}`);
  }
  const clusteringKey = schema.fields.find(({ isClusteringKey }) => isClusteringKey);
  if (clusteringKey !== undefined && !fields.includes(clusteringKey)) {
    throw missing(`clustering key field ${clusteringKey.name}`);
  }
  if (!fields.some(({ dataType }) => isVector(dataType))) throw missing('vector field');
}
