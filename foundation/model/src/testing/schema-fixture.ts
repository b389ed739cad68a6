import type { DataType } from '../data-type.ts';
import type { FieldId } from '../ids.ts';
import { type CollectionSchema, type FieldSchema, plainField } from '../schema.ts';

/** `plainField` by a plain number. */
export function fieldFixture(
  id: number,
  name: string,
  dataType: DataType,
  changes: Partial<FieldSchema> = {},
): FieldSchema {
  return plainField(id as FieldId, name, dataType, changes);
}

/** A schema of these fields; primary key, partition key and dynamic field are those that say so. */
export function schemaFixture(
  fields: readonly FieldSchema[],
  changes: Partial<CollectionSchema> = {},
): CollectionSchema {
  const primaryKey = fields.find(({ isPrimaryKey }) => isPrimaryKey);
  if (primaryKey === undefined) throw new TypeError('a schema has a primary key');
  return {
    name: 'fixture',
    description: '',
    fields: fields.filter(({ isDynamic }) => !isDynamic),
    structArrays: [],
    primaryKey,
    partitionKey: fields.find(({ isPartitionKey }) => isPartitionKey) ?? null,
    dynamicField: fields.find(({ isDynamic }) => isDynamic) ?? null,
    functions: [],
    lastFieldId: Math.max(...fields.map(({ id }) => id)) as FieldId,
    version: 0,
    ...changes,
  };
}
