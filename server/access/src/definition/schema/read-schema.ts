import {
  assert,
  type CollectionSchema,
  DataType,
  DYNAMIC_FIELD_NAME,
  FIRST_USER_FIELD_ID,
  type FieldId,
  type FieldSchema,
  fieldNameInvalid,
  invalidParameter,
  type KeyValue,
  plainField,
} from '@elanus/model';
import type { schema_CollectionSchema, schema_FieldSchema } from '@elanus/proto';
import type { AccessLimits } from '../../limits.ts';
import { checkCollectionName, checkFieldName, SYSTEM_FIELD_NAMES } from '../names.ts';
import { timeZoneOf } from '../timezone.ts';
import { type ClientField, checkFieldType, isVectorField } from './client-field.ts';
import { checkIsolation } from './collection-properties.ts';
import {
  checkAutoId,
  checkClusteringKey,
  checkPartitionKey,
  checkPartitionsNum,
  checkPrimaryKey,
} from './key-fields.ts';
import { checkAnalyzers, readFunctions } from './read-functions.ts';
import { type ReadStructArray, readStructArray, vectorSubFields } from './read-struct-arrays.ts';
import { type SchemaContext, storedField } from './stored-field.ts';

const DESCRIPTION_BYTES_MAX = 65_535;

/**
 * The schema that a client asks for, with ids from 100 and `$meta` after the client's fields. The checks come
 * in Milvus' order, so that a request with several mistakes is told of the same one.
 * @throws MilvusError for the first rule that is broken
 */
export function readSchema(
  message: schema_CollectionSchema,
  options: {
    readonly properties: readonly KeyValue[];
    readonly partitionsNum: bigint;
    /** Of the database. */
    readonly timeZone: string;
  },
  limits: AccessLimits,
): CollectionSchema {
  checkFieldCounts(message, limits);
  checkCollectionName(message.name, limits);
  if (Buffer.byteLength(message.description) > DESCRIPTION_BYTES_MAX) {
    throw invalidParameter(
      `the length of a collection description must not exceed ${DESCRIPTION_BYTES_MAX} bytes`,
    );
  }
  checkFieldNames([...message.fields, ...message.structArrayFields], limits);
  checkPrimaryKey(message.fields);
  checkAutoId(message.fields);
  if (message.fields.some(({ isDynamic }) => isDynamic)) {
    throw invalidParameter('cannot explicitly set a field as a dynamic field');
  }
  const fields = message.fields.map(typedField);
  checkPartitionKey(fields);
  checkPartitionsNum(options.partitionsNum, fields, limits);
  checkIsolation(options.properties, fields);
  checkClusteringKey(fields);
  const timeZone = timeZoneOf(options, options.timeZone);
  const context = { collection: message.name, timeZone, limits };
  const stored = fields.map((field, at) => storedField(field, FIRST_USER_FIELD_ID + at, context));
  const structs = readStructArrays(message, FIRST_USER_FIELD_ID + stored.length, context);
  checkUnsupported(message);
  checkAnalyzers(stored);
  return assembleSchema(message, stored, structs);
}

function readStructArrays(
  message: schema_CollectionSchema,
  firstId: number,
  context: SchemaContext,
): readonly ReadStructArray[] {
  let id = firstId;
  return message.structArrayFields.map((struct) => {
    const read = readStructArray(struct, id, context);
    id += 1 + read.fields.length;
    return read;
  });
}

function checkFieldCounts(message: schema_CollectionSchema, limits: AccessLimits): void {
  const structFields = message.structArrayFields.reduce((sum, { fields }) => sum + fields.length, 0);
  if (message.fields.length + structFields > limits.fieldsMax) {
    throw invalidParameter(`maximum field's number should be limited to ${limits.fieldsMax}`);
  }
  const vectorsInStructs = message.structArrayFields.reduce(
    (sum, struct) => sum + vectorSubFields(struct),
    0,
  );
  const vectorFields = message.fields.filter(isVectorField).length + vectorsInStructs;
  if (vectorFields > limits.vectorFieldsMax) {
    throw invalidParameter(`maximum vector field's number should be limited to ${limits.vectorFieldsMax}`);
  }
  if (vectorFields === 0) throw invalidParameter('schema does not contain vector field');
}

function checkFieldNames(fields: readonly { readonly name: string }[], limits: AccessLimits): void {
  const system = fields.find(({ name }) => SYSTEM_FIELD_NAMES.includes(name));
  if (system !== undefined) {
    throw fieldNameInvalid(system.name, `schema contains system field ${system.name}`);
  }
  for (const { name } of fields) checkFieldName(name, limits);
  const seen = new Set<string>();
  for (const { name } of fields) {
    if (seen.has(name)) throw invalidParameter(`duplicated field name ${name} found`);
    seen.add(name);
  }
}

function typedField(field: schema_FieldSchema): ClientField {
  checkFieldType(field);
  return field;
}

/** Says no rather than storing what nothing here would honour. */
function checkUnsupported(message: schema_CollectionSchema): void {
  if (message.enableNamespace) throw invalidParameter('namespaces are not supported yet');
  if (message.externalSource !== '') throw invalidParameter('external collections are not supported yet');
}

function assembleSchema(
  message: schema_CollectionSchema,
  ownFields: readonly FieldSchema[],
  structs: readonly ReadStructArray[],
): CollectionSchema {
  const fields = [...ownFields, ...structs.flatMap((struct) => struct.fields)];
  const lastOwnId = FIRST_USER_FIELD_ID + fields.length + structs.length - 1;
  const lastFieldId = (message.enableDynamicField ? lastOwnId + 1 : lastOwnId) as FieldId;
  const primaryKey = fields.find(({ isPrimaryKey }) => isPrimaryKey);
  assert(primaryKey !== undefined, 'a checked schema has a primary key');
  return {
    name: message.name,
    description: message.description,
    fields,
    structArrays: structs.map(({ struct }) => struct),
    primaryKey,
    partitionKey: fields.find(({ isPartitionKey }) => isPartitionKey) ?? null,
    dynamicField: message.enableDynamicField ? dynamicField(lastFieldId) : null,
    lastFieldId,
    functions: readFunctions(message.functions, fields),
    version: 0,
  };
}

/** `$meta`. */
export function dynamicField(id: FieldId): FieldSchema {
  return plainField(id, DYNAMIC_FIELD_NAME, DataType.JSON, {
    description: 'dynamic schema',
    isDynamic: true,
    nullable: true,
    defaultValue: '{}',
  });
}
