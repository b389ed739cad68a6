import { DataType, type FieldId, type FieldSchema } from '@elanus/model';

/** A field for tests: named after nothing, of id 100, with what `options` say. */
export function fieldOf(dataType: DataType, options: Partial<FieldSchema> = {}): FieldSchema {
  return {
    id: 100 as FieldId,
    name: 'f',
    description: '',
    dataType,
    elementType: null,
    isPrimaryKey: false,
    autoId: false,
    isPartitionKey: false,
    isClusteringKey: false,
    isDynamic: false,
    nullable: false,
    defaultValue: null,
    dim: null,
    maxLength: dataType === DataType.VarChar ? 1_000 : null,
    maxCapacity: dataType === DataType.Array ? 100 : null,
    typeParams: [],
    ...options,
  };
}
