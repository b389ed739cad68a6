import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  type CollectionSchema,
  type ConsistencyLevel,
  type DatabaseId,
  DataType,
  type DefaultValue,
  type FieldId,
  type FieldSchema,
  type KeyValue,
  type PartitionId,
  type PartitionInfo,
  type SchemaFunction,
  type StructArraySchema,
  type Timestamp,
} from '@elanus/model';
import type { DatabaseInfo } from '@elanus/rpc';
import { duplicateKeyPolicy } from '../root/collection-properties.ts';
import { decodeRecord, encodeRecord, RecordDamage, type StoredObject } from './record.ts';

export function encodeDatabase(database: DatabaseInfo): Uint8Array {
  return encodeRecord({
    id: String(database.id),
    name: database.name,
    createdTimestamp: String(database.createdTimestamp),
    properties: database.properties.map(keyValueToJson),
  });
}

/** @throws RecordDamage, RecordTooNew */
export function decodeDatabase(bytes: Uint8Array): DatabaseInfo {
  const record = decodeRecord(bytes);
  return {
    id: record.int64('id'),
    name: record.text('name'),
    createdTimestamp: record.int64('createdTimestamp') as Timestamp,
    properties: record.objects('properties', keyValueFromJson),
  };
}

export function encodeCollection(collection: CollectionInfo): Uint8Array {
  const body = {
    id: String(collection.id),
    databaseId: String(collection.databaseId),
    name: collection.name,
    schema: schemaToJson(collection.schema),
    channels: collection.channels,
    partitions: collection.partitions.map(partitionToJson),
    consistencyLevel: collection.consistencyLevel,
    properties: collection.properties.map(keyValueToJson),
    createdTimestamp: String(collection.createdTimestamp),
    updatedTimestamp: String(collection.updatedTimestamp),
  };
  return encodeRecord(body, versionOf(collection.schema));
}

/** The first version whose builds read the schema rightly. */
function versionOf(schema: CollectionSchema): number {
  if (schema.functions.some(({ fillsEarlierRows }) => fillsEarlierRows === true)) return 4;
  if (schema.functions.some(({ type }) => type !== 'BM25')) return 3;
  return isOfVersion1(schema) ? 1 : 2;
}

/** Whether builds that know of no functions, arrays of structs and the types below read the schema rightly. */
function isOfVersion1({ fields, structArrays, functions }: CollectionSchema): boolean {
  const isNewer = ({ dataType }: FieldSchema) => NEWER_TYPES.includes(dataType);
  return structArrays.length === 0 && functions.length === 0 && !fields.some(isNewer);
}

const NEWER_TYPES: readonly DataType[] = [DataType.Geometry, DataType.Text, DataType.Timestamptz];

/**
 * `databaseName` finds the name that belongs to the record's database.
 * @throws RecordDamage, RecordTooNew
 */
export function decodeCollection(
  bytes: Uint8Array,
  databaseName: (id: bigint) => string | undefined,
): CollectionInfo {
  const record = decodeRecord(bytes);
  const databaseId = record.int64('databaseId');
  const database = databaseName(databaseId);
  if (database === undefined) throw new RecordDamage(`its database ${databaseId} is unknown`);
  const name = record.text('name');
  const properties = record.objects('properties', keyValueFromJson);
  return {
    id: record.int64('id') as CollectionId,
    databaseId: databaseId as DatabaseId,
    databaseName: database,
    name,
    schema: schemaFromJson(name, record.object('schema')),
    channels: record.texts('channels') as ChannelName[],
    partitions: record.objects('partitions', partitionFromJson),
    consistencyLevel: record.integer('consistencyLevel') as ConsistencyLevel,
    properties,
    duplicateKey: duplicateKeyPolicy(properties),
    createdTimestamp: record.int64('createdTimestamp') as Timestamp,
    updatedTimestamp: record.int64('updatedTimestamp') as Timestamp,
  };
}

export function keyValueToJson(pair: KeyValue): object {
  return { key: pair.key, value: pair.value };
}

export function keyValueFromJson(stored: StoredObject): KeyValue {
  return { key: stored.text('key'), value: stored.text('value') };
}

function partitionToJson(partition: PartitionInfo): object {
  return {
    id: String(partition.id),
    name: partition.name,
    createdTimestamp: String(partition.createdTimestamp),
  };
}

function partitionFromJson(stored: StoredObject): PartitionInfo {
  return {
    id: stored.int64('id') as PartitionId,
    name: stored.text('name'),
    createdTimestamp: stored.int64('createdTimestamp') as Timestamp,
  };
}

function schemaToJson(schema: CollectionSchema): object {
  return {
    description: schema.description,
    version: schema.version,
    fields: schema.fields.map(fieldToJson),
    structArrays: schema.structArrays.map(structToJson),
    lastFieldId: schema.lastFieldId,
    dynamicField: schema.dynamicField === null ? null : fieldToJson(schema.dynamicField),
    functions: schema.functions.map(functionToJson),
  };
}

function schemaFromJson(name: string, stored: StoredObject): CollectionSchema {
  const fields = stored.objects('fields', fieldFromJson);
  const primaryKey = fields.find((field) => field.isPrimaryKey);
  if (primaryKey === undefined) throw new RecordDamage('the schema has no primary key');
  const dynamicField = stored.has('dynamicField') ? fieldFromJson(stored.object('dynamicField')) : null;
  const ids = [...fields, ...(dynamicField ? [dynamicField] : [])].map(({ id }) => id);
  return {
    name,
    description: stored.text('description'),
    fields,
    primaryKey,
    partitionKey: fields.find((field) => field.isPartitionKey) ?? null,
    // Records of earlier builds have neither.
    structArrays: stored.has('structArrays') ? stored.objects('structArrays', structFromJson) : [],
    lastFieldId: (stored.has('lastFieldId') ? stored.integer('lastFieldId') : Math.max(...ids)) as FieldId,
    dynamicField,
    functions: stored.has('functions') ? stored.objects('functions', functionFromJson) : [],
    version: stored.integer('version'),
  };
}

function structToJson(struct: StructArraySchema): object {
  return {
    id: struct.id,
    name: struct.name,
    description: struct.description,
    nullable: struct.nullable,
    typeParams: struct.typeParams.map(keyValueToJson),
    fieldIds: struct.fieldIds,
  };
}

function structFromJson(stored: StoredObject): StructArraySchema {
  return {
    id: stored.integer('id') as FieldId,
    name: stored.text('name'),
    description: stored.text('description'),
    nullable: stored.flag('nullable'),
    typeParams: stored.objects('typeParams', keyValueFromJson),
    fieldIds: stored.integers('fieldIds') as FieldId[],
  };
}

function fieldToJson(field: FieldSchema): object {
  return {
    id: field.id,
    name: field.name,
    description: field.description,
    dataType: field.dataType,
    elementType: field.elementType,
    isPrimaryKey: field.isPrimaryKey,
    autoId: field.autoId,
    isPartitionKey: field.isPartitionKey,
    isClusteringKey: field.isClusteringKey,
    isDynamic: field.isDynamic,
    nullable: field.nullable,
    defaultValue: field.defaultValue === null ? null : defaultValueToJson(field.defaultValue),
    dim: field.dim,
    maxLength: field.maxLength,
    maxCapacity: field.maxCapacity,
    typeParams: field.typeParams.map(keyValueToJson),
  };
}

function fieldFromJson(stored: StoredObject): FieldSchema {
  const integerOrNull = (key: string) => (stored.has(key) ? stored.integer(key) : null);
  return {
    id: stored.integer('id') as FieldId,
    name: stored.text('name'),
    description: stored.text('description'),
    dataType: stored.integer('dataType') as DataType,
    elementType: integerOrNull('elementType') as DataType | null,
    isPrimaryKey: stored.flag('isPrimaryKey'),
    autoId: stored.flag('autoId'),
    isPartitionKey: stored.flag('isPartitionKey'),
    isClusteringKey: stored.flag('isClusteringKey'),
    isDynamic: stored.flag('isDynamic'),
    nullable: stored.flag('nullable'),
    defaultValue: stored.has('defaultValue') ? defaultValueFromJson(stored.object('defaultValue')) : null,
    dim: integerOrNull('dim'),
    maxLength: integerOrNull('maxLength'),
    maxCapacity: integerOrNull('maxCapacity'),
    typeParams: stored.objects('typeParams', keyValueFromJson),
  };
}

function functionToJson(made: SchemaFunction): object {
  const { id, name, description, type, input, output, params, fillsEarlierRows } = made;
  const filling = fillsEarlierRows === true ? { fillsEarlierRows } : {};
  return { id, name, description, type, input, output, params: params.map(keyValueToJson), ...filling };
}

function functionFromJson(stored: StoredObject): SchemaFunction {
  const type = stored.text('type');
  if (type !== 'BM25' && type !== 'TextEmbedding' && type !== 'MinHash')
    throw new RecordDamage(`a function of type ${type} is unknown`);
  return {
    id: stored.integer('id'),
    name: stored.text('name'),
    description: stored.text('description'),
    type,
    input: stored.integer('input') as FieldId,
    output: stored.integer('output') as FieldId,
    params: stored.objects('params', keyValueFromJson),
    ...(stored.has('fillsEarlierRows') ? { fillsEarlierRows: true } : {}),
  };
}

/** The member's name says the type, so that an int64 and a text that looks like one stay apart. */
function defaultValueToJson(value: DefaultValue): object {
  switch (typeof value) {
    case 'bigint':
      return { int64: String(value) };
    case 'number':
      return { number: value };
    case 'boolean':
      return { flag: value };
    case 'string':
      return { text: value };
  }
}

function defaultValueFromJson(stored: StoredObject): DefaultValue {
  if (stored.has('int64')) return stored.int64('int64');
  if (stored.has('number')) return stored.number('number');
  if (stored.has('flag')) return stored.flag('flag');
  return stored.text('text');
}
