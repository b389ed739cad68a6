import { isDeepStrictEqual } from 'node:util';
import type { CollectionInfo, CollectionSchema, FieldSchema, KeyValue } from '@elanus/model';
import type { CreateCollection } from '@elanus/rpc';
import { timezoneOf, withTimezone } from './collection-properties.ts';

/** Whether `request` asks for what `existing` already is, so that creating it again changes nothing. */
export function isSameCollection(existing: CollectionInfo, request: CreateCollection): boolean {
  const partitionsMatch =
    request.schema.partitionKey === null || existing.partitions.length === request.partitionsNum;
  return (
    partitionsMatch &&
    existing.channels.length === request.shardsNum &&
    existing.consistencyLevel === request.consistencyLevel &&
    isDeepStrictEqual(
      byKey(existing.properties),
      // Its database's time zone may be another one by now.
      byKey(withTimezone(request.properties, timezoneOf(existing.properties))),
    ) &&
    isDeepStrictEqual(comparable(existing.schema), comparable(request.schema))
  );
}

function comparable(schema: CollectionSchema) {
  return {
    description: schema.description,
    fields: schema.fields.map(comparableField),
    structArrays: schema.structArrays.map((struct) => ({ ...struct, typeParams: byKey(struct.typeParams) })),
    dynamic: schema.dynamicField !== null,
    functions: schema.functions,
  };
}

/** Ids follow from the order; the order of type parameters says nothing. */
function comparableField(field: FieldSchema) {
  return { ...field, typeParams: byKey(field.typeParams) };
}

function byKey(pairs: readonly KeyValue[]): ReadonlyMap<string, string> {
  return new Map(pairs.map(({ key, value }) => [key, value]));
}
