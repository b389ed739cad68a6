import { instantFormatter } from '@elanus/expr';
import { INLINED_PREFIX } from '@elanus/functions';
import {
  type CollectionInfo,
  type CollectionSchema,
  DataType,
  type FieldSchema,
  fieldById,
  functionOfOutput,
  isSubField,
  physicalMs,
  plainFieldName,
  type SchemaFunction,
  type StructArraySchema,
  subFieldsOf,
  type Timestamp,
} from '@elanus/model';
import type {
  Draft,
  Methods,
  schema_FieldSchema,
  schema_FunctionSchema,
  schema_StructArrayFieldSchema,
  schema_ValueField,
} from '@elanus/proto';
import { LOST_WRITES_INFO } from '../wire/with-info.ts';

const writeInstant = instantFormatter('UTC');

/**
 * A collection as clients see it: their own fields only (`$meta` is `enable_dynamic_field`), ids and names as
 * they are now, `update_timestamp` for the check of stale schemas. What its log has lost is a property that nobody has set.
 */
export function describeCollection(
  collection: CollectionInfo,
  aliases: readonly string[],
  now: Timestamp,
  losses: readonly string[] = [],
): Draft<Methods['DescribeCollection']['response']> {
  const { schema } = collection;
  const properties =
    losses.length === 0
      ? collection.properties
      : [...collection.properties, { key: LOST_WRITES_INFO, value: losses.join('\n') }];
  return {
    schema: {
      name: schema.name,
      description: schema.description,
      fields: schema.fields
        .filter((field) => !isSubField(field))
        .map((field) => describeField(field, schema)),
      structArrayFields: schema.structArrays.map((struct) => describeStructArray(struct, schema)),
      enableDynamicField: schema.dynamicField !== null,
      functions: schema.functions.map((each) => describeFunction(each, schema)),
      properties: collection.properties,
      version: schema.version,
    },
    collectionID: collection.id,
    virtualChannelNames: collection.channels,
    physicalChannelNames: collection.channels.map(physicalChannelOf),
    createdTimestamp: collection.createdTimestamp,
    createdUtcTimestamp: BigInt(physicalMs(collection.createdTimestamp)),
    shardsNum: collection.channels.length,
    consistencyLevel: collection.consistencyLevel,
    collectionName: collection.name,
    aliases,
    properties,
    dbName: collection.databaseName,
    dbId: collection.databaseId,
    numPartitions: BigInt(collection.partitions.length),
    requestTime: now,
    updateTimestamp: collection.updatedTimestamp,
    updateTimestampStr: String(collection.updatedTimestamp),
  };
}

function describeField(field: FieldSchema, schema: CollectionSchema): Draft<schema_FieldSchema> {
  return {
    fieldID: BigInt(field.id),
    name: field.name,
    description: field.description,
    dataType: field.dataType,
    elementType: field.elementType ?? 0,
    isPrimaryKey: field.isPrimaryKey,
    autoID: field.autoId,
    isPartitionKey: field.isPartitionKey,
    isClusteringKey: field.isClusteringKey,
    nullable: field.nullable,
    isFunctionOutput: functionOfOutput(schema, field.id) !== undefined,
    typeParams: field.typeParams.filter(({ key }) => !key.startsWith(INLINED_PREFIX)),
    ...(field.defaultValue === null ? {} : { defaultValue: describeDefaultValue(field) }),
  };
}

/** `FunctionType` on the wire. */
const FUNCTION_TYPES: Readonly<Record<SchemaFunction['type'], number>> = {
  BM25: 1,
  TextEmbedding: 2,
  MinHash: 4,
};

function describeFunction(
  { id, name, description, type, input, output, params }: SchemaFunction,
  schema: CollectionSchema,
): Draft<schema_FunctionSchema> {
  return {
    id: BigInt(id),
    name,
    description,
    type: FUNCTION_TYPES[type],
    inputFieldIds: [BigInt(input)],
    inputFieldNames: [fieldById(schema, input)!.name],
    outputFieldIds: [BigInt(output)],
    outputFieldNames: [fieldById(schema, output)!.name],
    params,
  };
}

function describeStructArray(
  struct: StructArraySchema,
  schema: CollectionSchema,
): Draft<schema_StructArrayFieldSchema> {
  const { id, name, description, nullable, typeParams } = struct;
  const fields = subFieldsOf(schema, struct).map((field) => ({
    ...describeField(field, schema),
    name: plainFieldName(field),
  }));
  return { fieldID: BigInt(id), name, description, nullable, typeParams, fields };
}

function describeDefaultValue({ dataType, defaultValue }: FieldSchema): Draft<schema_ValueField> {
  switch (typeof defaultValue) {
    case 'boolean':
      return { boolData: defaultValue };
    case 'bigint':
      if (dataType === DataType.Timestamptz) return { stringData: writeInstant(defaultValue) };
      return { longData: defaultValue };
    case 'string':
      return { stringData: defaultValue };
    case 'number':
      if (dataType === DataType.Float) return { floatData: defaultValue };
      return dataType === DataType.Double ? { doubleData: defaultValue } : { intData: defaultValue };
    default:
      return {};
  }
}

/** `elanus-dml_0` of `elanus-dml_0_451v0`. */
function physicalChannelOf(channel: string): string {
  return channel.slice(0, channel.lastIndexOf('_'));
}
