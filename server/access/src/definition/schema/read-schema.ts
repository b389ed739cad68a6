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
} from '@elanus/model';
import type { schema_CollectionSchema, schema_FieldSchema } from '@elanus/proto';
import type { AccessLimits } from '../../limits.ts';
import { checkCollectionName, checkFieldName, SYSTEM_FIELD_NAMES } from '../names.ts';
import { type ClientField, checkFieldType, isVectorField } from './client-field.ts';
import { checkIsolation } from './collection-properties.ts';
import { defaultValueOf } from './default-value.ts';
import {
  checkAutoId,
  checkClusteringKey,
  checkPartitionKey,
  checkPartitionsNum,
  checkPrimaryKey,
} from './key-fields.ts';
import { checkAnalyzers, readFunctions } from './read-functions.ts';
import { dimOf, elementTypeOf, maxCapacityOf, maxLengthOf } from './type-params.ts';

const DESCRIPTION_BYTES_MAX = 65_535;

/**
 * The schema that a client asks for, with ids from 100 and `$meta` after the client's fields. The checks come
 * in Milvus' order, so that a request with several mistakes is told of the same one.
 * @throws MilvusError for the first rule that is broken
 */
export function readSchema(
  message: schema_CollectionSchema,
  options: { readonly properties: readonly KeyValue[]; readonly partitionsNum: bigint },
  limits: AccessLimits,
): CollectionSchema {
  checkFieldCounts(message, limits);
  checkCollectionName(message.name, limits);
  if (Buffer.byteLength(message.description) > DESCRIPTION_BYTES_MAX) {
    throw invalidParameter(
      `the length of a collection description must not exceed ${DESCRIPTION_BYTES_MAX} bytes`,
    );
  }
  checkFieldNames(message.fields, limits);
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
  checkNullable(fields);
  const stored = fields.map((field, at) => storedField(field, at, message.name, limits));
  checkUnsupported(message);
  checkAnalyzers(stored);
  return assembleSchema(message, stored);
}

function checkFieldCounts(message: schema_CollectionSchema, limits: AccessLimits): void {
  const structFields = message.structArrayFields.reduce((sum, { fields }) => sum + fields.length, 0);
  if (message.fields.length + structFields > limits.fieldsMax) {
    throw invalidParameter(`maximum field's number should be limited to ${limits.fieldsMax}`);
  }
  const vectorFields = message.fields.filter(isVectorField).length;
  if (vectorFields > limits.vectorFieldsMax) {
    throw invalidParameter(`maximum vector field's number should be limited to ${limits.vectorFieldsMax}`);
  }
  if (vectorFields === 0) throw invalidParameter('schema does not contain vector field');
}

function checkFieldNames(fields: readonly schema_FieldSchema[], limits: AccessLimits): void {
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

function checkNullable(fields: readonly ClientField[]): void {
  const vector = fields.find((field) => field.nullable && isVectorField(field));
  if (vector !== undefined)
    throw invalidParameter(`vector type not support null, field name = ${vector.name}`);
}

function storedField(field: ClientField, at: number, collection: string, limits: AccessLimits): FieldSchema {
  const dim = dimOf(field, limits);
  const elementType = elementTypeOf(field);
  const maxLength = maxLengthOf(field, collection);
  const maxCapacity = maxCapacityOf(field, collection);
  return {
    id: (FIRST_USER_FIELD_ID + at) as FieldId,
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
    defaultValue: defaultValueOf(field, maxLength),
    dim,
    maxLength,
    maxCapacity,
    typeParams: field.typeParams.map(({ key, value }) => ({ key, value })),
  };
}

/** Says no rather than storing what nothing here would honour. */
function checkUnsupported(message: schema_CollectionSchema): void {
  if (message.structArrayFields.length > 0)
    throw invalidParameter('struct array fields are not supported yet');
  if (message.enableNamespace) throw invalidParameter('namespaces are not supported yet');
  if (message.externalSource !== '') throw invalidParameter('external collections are not supported yet');
}

function assembleSchema(message: schema_CollectionSchema, fields: readonly FieldSchema[]): CollectionSchema {
  const primaryKey = fields.find(({ isPrimaryKey }) => isPrimaryKey);
  assert(primaryKey !== undefined, 'a checked schema has a primary key');
  return {
    name: message.name,
    description: message.description,
    fields,
    primaryKey,
    partitionKey: fields.find(({ isPartitionKey }) => isPartitionKey) ?? null,
    dynamicField: message.enableDynamicField
      ? dynamicField((FIRST_USER_FIELD_ID + fields.length) as FieldId)
      : null,
    functions: readFunctions(message.functions, fields),
    version: 0,
  };
}

function dynamicField(id: FieldId): FieldSchema {
  return {
    id,
    name: DYNAMIC_FIELD_NAME,
    description: 'dynamic schema',
    dataType: DataType.JSON,
    elementType: null,
    isPrimaryKey: false,
    autoId: false,
    isPartitionKey: false,
    isClusteringKey: false,
    isDynamic: true,
    nullable: true,
    defaultValue: '{}',
    dim: null,
    maxLength: null,
    maxCapacity: null,
    typeParams: [],
  };
}
