import {
  type CollectionSchema,
  DataType,
  DYNAMIC_FIELD_NAME,
  FIRST_USER_FIELD_ID,
  type FieldId,
  type FieldSchema,
} from '@elanus/model';

const PLAIN_FIELD: Omit<FieldSchema, 'id' | 'name' | 'dataType'> = {
  description: '',
  elementType: null,
  isPrimaryKey: false,
  autoId: false,
  isPartitionKey: false,
  isClusteringKey: false,
  isDynamic: false,
  nullable: false,
  defaultValue: null,
  dim: null,
  maxLength: null,
  maxCapacity: null,
  typeParams: [],
};

/** A field that `schemaOf` gives its id. */
export function field(
  name: string,
  dataType: DataType,
  options: Partial<FieldSchema> = {},
): Omit<FieldSchema, 'id'> {
  return { ...PLAIN_FIELD, name, dataType, ...options };
}

/** `id` (Int64, the key), the given fields and, if asked for, `$meta`. */
export function schemaOf(
  name: string,
  fields: readonly Omit<FieldSchema, 'id'>[],
  options: { readonly dynamic?: boolean } = {},
): CollectionSchema {
  const all = [field('id', DataType.Int64, { isPrimaryKey: true }), ...fields];
  const withIds = all.map((each, at) => ({ ...each, id: (FIRST_USER_FIELD_ID + at) as FieldId }));
  const dynamic = field(DYNAMIC_FIELD_NAME, DataType.JSON, { isDynamic: true, nullable: true });
  return {
    name,
    description: '',
    fields: withIds,
    primaryKey: withIds[0]!,
    partitionKey: withIds.find(({ isPartitionKey }) => isPartitionKey) ?? null,
    dynamicField: options.dynamic
      ? { ...dynamic, id: (FIRST_USER_FIELD_ID + withIds.length) as FieldId }
      : null,
    version: 0,
  };
}
