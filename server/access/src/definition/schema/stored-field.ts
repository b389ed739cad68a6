import type { FieldId, FieldSchema } from '@elanus/model';
import type { AccessLimits } from '../../limits.ts';
import type { ClientField } from './client-field.ts';
import { defaultValueOf } from './default-value.ts';
import { dimOf, elementTypeOf, maxCapacityOf, maxLengthOf } from './type-params.ts';

/** What the meaning of a field depends on besides its own description. */
export interface SchemaContext {
  /** The collection's name, for messages. */
  readonly collection: string;
  /** IANA name of the zone of default instants that are written without an offset. */
  readonly timeZone: string;
  readonly limits: AccessLimits;
}

/** The field with an id of its own. @throws MilvusError 1100 or 1101 for parameters and defaults that do not fit its type */
export function storedField(
  field: ClientField,
  id: number,
  { collection, timeZone, limits }: SchemaContext,
): FieldSchema {
  const dim = dimOf(field, limits);
  const elementType = elementTypeOf(field);
  const maxLength = maxLengthOf(field, collection, limits);
  const maxCapacity = maxCapacityOf(field, collection);
  return {
    id: id as FieldId,
    name: field.name,
    description: field.description,
    dataType: field.dataType,
    elementType,
    isPrimaryKey: field.isPrimaryKey,
    autoId: field.autoID,
    isPartitionKey: field.isPartitionKey,
    isClusteringKey: field.isClusteringKey,
    isDynamic: false,
    nullable: field.nullable,
    defaultValue: defaultValueOf(field, maxLength, timeZone),
    dim,
    maxLength,
    maxCapacity,
    typeParams: field.typeParams.map(({ key, value }) => ({ key, value })),
  };
}
