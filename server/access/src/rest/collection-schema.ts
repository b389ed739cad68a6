import { DataType, invalidParameter } from '@elanus/model';
import type {
  Draft,
  schema_CollectionSchema,
  schema_FieldSchema,
  schema_FunctionSchema,
  schema_StructArrayFieldSchema,
  schema_ValueField,
} from '@elanus/proto';
import { Body, isInt64, optional, required } from './body.ts';
import type { Json } from './json-reader.ts';
import { keyValues } from './key-values.ts';
import { incorrectJson } from './rest-errors.ts';

const TYPES: ReadonlyMap<string, DataType> = new Map(Object.entries(DataType));
const TYPE_NAMES = new Map(Object.entries(DataType).map(([name, type]) => [type as number, name]));
/** Numbers of `FunctionType`. */
export const FUNCTION_TYPES: ReadonlyMap<string, number> = new Map([
  ['Unknown', 0],
  ['BM25', 1],
  ['TextEmbedding', 2],
  ['Rerank', 3],
  ['MinHash', 4],
]);

const FIELD = {
  fieldName: required('string'),
  dataType: required('string'),
  elementDataType: optional('string'),
  isPrimary: optional('boolean'),
  isPartitionKey: optional('boolean'),
  isClusteringKey: optional('boolean'),
  nullable: optional('boolean'),
  defaultValue: optional('any'),
  elementTypeParams: optional('object'),
  description: optional('string'),
};
const FUNCTION = {
  name: required('string'),
  description: optional('string'),
  type: required('string'),
  inputFieldNames: optional('strings'),
  outputFieldNames: optional('strings'),
  params: optional('object'),
};
const STRUCT = {
  fieldName: required('string'),
  description: optional('string'),
  fields: required('array'),
  typeParams: optional('object'),
  elementTypeParams: optional('object'),
  nullable: optional('boolean'),
};
const SCHEMA = {
  autoId: optional('boolean'),
  autoID: optional('boolean'),
  enableDynamicField: optional('boolean'),
  fields: optional('array'),
  structFields: optional('array'),
  functions: optional('array'),
};

/** The schema of a custom create (the reference's section 2.1.2). */
export function schemaOfBody(name: string, description: string, json: Json): Draft<schema_CollectionSchema> {
  const schema = new Body(json, SCHEMA);
  const autoId = schema.flag('autoId') || schema.flag('autoID');
  return {
    name,
    description,
    autoID: autoId,
    enableDynamicField: schema.flag('enableDynamicField'),
    fields: schema.list('fields').map((field) => fieldOfBody(field, autoId)),
    structArrayFields: schema.list('structFields').map(structOfBody),
    functions: schema.list('functions').map(functionOfBody),
  };
}

export function fieldOfBody(json: Json, autoId = false): Draft<schema_FieldSchema> {
  const field = new Body(json, FIELD);
  const dataType = typeOf(field.text('dataType'));
  const isPrimaryKey = field.flag('isPrimary');
  return {
    name: field.text('fieldName'),
    dataType,
    ...(field.has('elementDataType') ? { elementType: typeOf(field.text('elementDataType')) } : {}),
    isPrimaryKey,
    autoID: isPrimaryKey && autoId,
    isPartitionKey: field.flag('isPartitionKey'),
    isClusteringKey: field.flag('isClusteringKey'),
    nullable: field.flag('nullable'),
    description: field.text('description'),
    typeParams: keyValues(field.object('elementTypeParams')),
    ...(field.has('defaultValue') ? { defaultValue: defaultOf(dataType, field.any('defaultValue')) } : {}),
  };
}

/** An array of structs; how many there may be is said once and holds for every sub-field. */
export function structOfBody(json: Json): Draft<schema_StructArrayFieldSchema> {
  const struct = new Body(json, STRUCT);
  const typeParams = keyValues({ ...struct.object('elementTypeParams'), ...struct.object('typeParams') });
  const nullable = struct.flag('nullable');
  const fields = struct.list('fields').map((sent) => {
    const field = fieldOfBody(sent);
    const own = field.typeParams ?? [];
    const inherited = typeParams.filter(({ key }) => !own.some((param) => param.key === key));
    return { ...field, nullable: nullable || (field.nullable ?? false), typeParams: [...own, ...inherited] };
  });
  return {
    name: struct.text('fieldName'),
    description: struct.text('description'),
    fields,
    typeParams,
    nullable,
  };
}

export function functionOfBody(json: Json): Draft<schema_FunctionSchema> {
  const body = new Body(json, FUNCTION);
  const type = FUNCTION_TYPES.get(body.text('type'));
  if (type === undefined) throw invalidParameter(`actual function type: ${body.text('type')}`);
  return {
    name: body.text('name'),
    description: body.text('description'),
    type,
    inputFieldNames: body.texts('inputFieldNames'),
    outputFieldNames: body.texts('outputFieldNames'),
    params: keyValues(body.object('params')),
  };
}

/** The name of a type, as requests and answers spell it. */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? String(type);
}

function typeOf(name: string): DataType {
  const type = TYPES.get(name);
  if (type === undefined) throw invalidParameter(`data type ${name} is invalid(case sensitive)`);
  return type;
}

function defaultOf(type: DataType, value: Json): Draft<schema_ValueField> {
  const wrong = () => incorrectJson(`the default value does not fit the type ${typeName(type)}`);
  switch (type) {
    case DataType.Bool:
      if (typeof value !== 'boolean') throw wrong();
      return { boolData: value };
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      if (typeof value !== 'number' || (value | 0) !== value) throw wrong();
      return { intData: value };
    case DataType.Int64:
      if (!isInt64(value)) throw wrong();
      return { longData: BigInt(value) };
    case DataType.Float:
    case DataType.Double:
      if (typeof value !== 'number' && typeof value !== 'bigint') throw wrong();
      return type === DataType.Float ? { floatData: Number(value) } : { doubleData: Number(value) };
    default:
      if (typeof value !== 'string') throw wrong();
      return { stringData: value };
  }
}
