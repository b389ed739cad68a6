import { INLINED_PREFIX, isMatchEnabled } from '@elanus/functions';
import {
  type CollectionSchema,
  DataType,
  type FieldId,
  type FieldSchema,
  fieldNotFound,
  invalidParameter,
  isSubField,
  isVector,
  type KeyValue,
  lastValueOf,
} from '@elanus/model';
import type { schema_FieldSchema, schema_FunctionSchema, schema_StructArrayFieldSchema } from '@elanus/proto';
import { checkFieldName, SYSTEM_FIELD_NAMES } from '../names.ts';
import { newFunctionOfField, requiredFunction } from './change-functions.ts';
import { checkFieldType, isVectorField } from './client-field.ts';
import { checkAnalyzers } from './read-functions.ts';
import { dynamicField } from './read-schema.ts';
import { readStructArray, vectorSubFields } from './read-struct-arrays.ts';
import { type SchemaContext, storedField } from './stored-field.ts';
import { maxCapacityOf, maxLengthOf } from './type-params.ts';

/** The schema with a field more. @throws MilvusError 1100, 1101 or 1701 for the first rule that is broken */
export function withField(
  schema: CollectionSchema,
  message: schema_FieldSchema,
  context: SchemaContext,
): CollectionSchema {
  return changed(schema, addition(schema, message, context, 'given'));
}

/**
 * The schema with a function more, and the field that it makes, also of the rows that there are.
 * @throws MilvusError as `withField`; 1100 for a function that can't be added so
 */
export function withFunctionField(
  schema: CollectionSchema,
  message: schema_FieldSchema,
  given: schema_FunctionSchema,
  context: SchemaContext,
): CollectionSchema {
  const added = { ...schema, ...addition(schema, message, context, 'made') };
  return changed(added, { functions: [...schema.functions, newFunctionOfField(added, message.name, given)] });
}

/** A field that clients give, or that a function makes. */
function addition(
  schema: CollectionSchema,
  message: schema_FieldSchema,
  context: SchemaContext,
  values: 'given' | 'made',
): Pick<CollectionSchema, 'fields' | 'lastFieldId'> {
  const { name } = message;
  checkAddedName(schema, name, context);
  if (message.isPrimaryKey) throw invalidParameter(`not support to add pk field, field name = ${name}`);
  if (message.autoID) {
    throw invalidParameter(`only primary field can speficy AutoID with true, field name = ${name}`);
  }
  if (message.isPartitionKey) {
    throw invalidParameter(`not support to add partition key field, field name = ${name}`);
  }
  if (message.isClusteringKey) {
    throw invalidParameter(`not support to add clustering key field, field name = ${name}`);
  }
  if (message.isDynamic) throw invalidParameter('cannot explicitly set a field as a dynamic field');
  checkFieldType(message);
  if (values === 'given' && !message.nullable && message.defaultValue === undefined) {
    throw invalidParameter(`added field must be nullable, please check it, field name = ${name}`);
  }
  checkCounts(schema, 1, isVectorField(message) ? 1 : 0, context);
  const field = storedField(message, schema.lastFieldId + 1, context);
  return { fields: [...schema.fields, field], lastFieldId: field.id };
}

/** The schema with an array of structs more. @throws MilvusError 1100, 1101 or 1701 for the first rule that is broken */
export function withStructArray(
  schema: CollectionSchema,
  message: schema_StructArrayFieldSchema,
  context: SchemaContext,
): CollectionSchema {
  if (!message.nullable) {
    throw invalidParameter(
      `added struct field must be nullable, please check it, struct field name = ${message.name}`,
    );
  }
  checkAddedName(schema, message.name, context);
  checkCounts(schema, message.fields.length, vectorSubFields(message), context);
  const { struct, fields } = readStructArray(message, schema.lastFieldId + 1, context);
  return changed(schema, {
    fields: [...schema.fields, ...fields],
    structArrays: [...schema.structArrays, struct],
    lastFieldId: fields.at(-1)!.id,
  });
}

/** The schema with `$meta`; as it was when it has that already. */
export function withDynamicField(schema: CollectionSchema): CollectionSchema {
  if (schema.dynamicField !== null) return schema;
  const added = dynamicField((schema.lastFieldId + 1) as FieldId);
  return changed(schema, { dynamicField: added, lastFieldId: added.id });
}

/** What a request calls a field: one of both. */
export interface FieldRef {
  readonly name?: string | undefined;
  readonly id?: bigint | undefined;
}

/**
 * The schema without a function and without the field of its vectors.
 * @throws MilvusError 1100 when that is the last field of vectors
 */
export function withoutFunctionAndOutput(schema: CollectionSchema, name: string): CollectionSchema {
  const dropped = requiredFunction(schema, name);
  const functions = schema.functions.filter((each) => each !== dropped);
  return withoutField({ ...schema, functions }, { id: BigInt(dropped.output) });
}

/** The schema without a field, or without an array of structs. @throws MilvusError 1100 for one that has to stay, 1700 */
export function withoutField(schema: CollectionSchema, ref: FieldRef): CollectionSchema {
  const isNamed = (each: { readonly id: FieldId; readonly name: string }) =>
    ref.name !== undefined ? each.name === ref.name : BigInt(each.id) === ref.id;
  const struct = schema.structArrays.find(isNamed);
  const field = schema.fields.find(isNamed);
  const label = ref.name ?? String(ref.id);
  if (struct === undefined && field === undefined) throw fieldNotFound(label);
  if (field !== undefined) checkMayBeDropped(schema, field);
  const ids = struct?.fieldIds ?? [field!.id];
  const fields = schema.fields.filter(({ id }) => !ids.includes(id));
  if (!fields.some(holdsVectors)) {
    throw invalidParameter(`cannot drop the last vector field ${label} of the collection`);
  }
  return changed(schema, { fields, structArrays: schema.structArrays.filter((each) => each !== struct) });
}

function checkMayBeDropped(schema: CollectionSchema, field: FieldSchema): void {
  const refuse = (what: string) => invalidParameter(`cannot drop ${what} ${field.name}`);
  if (isSubField(field)) throw refuse('a sub-field of a struct on its own:');
  if (field.isPrimaryKey) throw refuse('primary key field');
  if (field.isPartitionKey) throw refuse('partition key field');
  if (field.isClusteringKey) throw refuse('clustering key field');
  const user = schema.functions.find(({ input, output }) => input === field.id || output === field.id);
  if (user !== undefined) throw refuse(`a field that the function ${user.name} uses:`);
}

const CHANGEABLE: ReadonlySet<string> = new Set([
  'max_length',
  'max_capacity',
  'mmap.enabled',
  'mmap_enabled',
  'field.description',
  'enable_analyzer',
  'analyzer_params',
  'warmup',
]);

const ANALYZER_PARAMS: ReadonlySet<string> = new Set(['enable_analyzer', 'analyzer_params']);

/** Whether words of rows that there are have been kept: other words would not be found among them. */
function isAnalyzed({ functions }: CollectionSchema, field: FieldSchema): boolean {
  return (
    isMatchEnabled(field) ||
    functions.some(({ type, input }) => type !== 'TextEmbedding' && input === field.id)
  );
}

/** The schema with other parameters of a field. @throws MilvusError 1100, 1700 */
export function withFieldParams(
  schema: CollectionSchema,
  name: string,
  change: {
    readonly set: readonly KeyValue[];
    readonly remove: readonly string[];
    /** What those say that name files, with the words in place. */
    readonly inlined: readonly KeyValue[];
  },
  context: SchemaContext,
): CollectionSchema {
  const field = schema.fields.find((each) => each.name === name);
  if (field === undefined) throw fieldNotFound(name);
  const keys = [...change.set.map(({ key }) => key), ...change.remove];
  const fixed = keys.find((key) => !CHANGEABLE.has(key));
  if (fixed !== undefined) {
    throw invalidParameter(`${fixed} does not allow update in collection field param`);
  }
  if (keys.includes('max_length') && field.maxLength === null) {
    throw invalidParameter(`can not modify the maxlength for non-string types, field name = ${name}`);
  }
  if (keys.includes('max_capacity') && field.maxCapacity === null) {
    throw invalidParameter(`can not modify the maxcapacity for non-array types, field name = ${name}`);
  }
  if (change.remove.some((key) => key === 'max_length' || key === 'max_capacity')) {
    throw invalidParameter(`can not delete max_length or max_capacity of field ${name}`);
  }
  const description = lastValueOf(change.set, 'field.description') ?? field.description;
  const set = change.set.filter(({ key }) => key !== 'field.description');
  const isKept = ({ key }: KeyValue): boolean =>
    !keys.some((changed) => key === changed || key === `${INLINED_PREFIX}${changed}`);
  const typeParams = [...field.typeParams.filter(isKept), ...set, ...change.inlined];
  const client = { ...field, typeParams, elementType: field.elementType ?? DataType.Bool };
  const altered: FieldSchema = {
    ...field,
    description,
    typeParams,
    maxLength: field.maxLength === null ? null : maxLengthOf(client, context.collection, context.limits),
    maxCapacity: field.maxCapacity === null ? null : maxCapacityOf(client, context.collection),
  };
  const swap = (each: FieldSchema) => (each === field ? altered : each);
  const next = changed(schema, { fields: schema.fields.map(swap), primaryKey: swap(schema.primaryKey) });
  if (keys.some((key) => ANALYZER_PARAMS.has(key)) && isAnalyzed(schema, field)) {
    throw invalidParameter(
      `can not alter analyzer params for field ${name} after text match is enabled or a BM25/MinHash function depends on it`,
    );
  }
  return next;
}

function changed(schema: CollectionSchema, change: Partial<CollectionSchema>): CollectionSchema {
  const next = { ...schema, ...change, version: schema.version + 1 };
  checkAnalyzers(next.fields, next.functions);
  // One object each, wherever it is found.
  const partitionKey = next.fields.find(({ isPartitionKey }) => isPartitionKey) ?? null;
  return { ...next, partitionKey };
}

function checkAddedName(schema: CollectionSchema, name: string, { limits }: SchemaContext): void {
  if (SYSTEM_FIELD_NAMES.includes(name)) {
    throw invalidParameter(`not support to add system field, field name = ${name}`);
  }
  checkFieldName(name, limits);
  const isTaken = [...schema.fields, ...schema.structArrays].some((each) => each.name === name);
  if (isTaken) throw invalidParameter(`duplicate field name: ${name}`);
}

function checkCounts(
  { fields }: CollectionSchema,
  added: number,
  addedVectors: number,
  { limits }: SchemaContext,
): void {
  if (fields.length + added > limits.fieldsMax) {
    throw invalidParameter(`maximum field's number should be limited to ${limits.fieldsMax}`);
  }
  if (addedVectors > 0 && fields.filter(holdsVectors).length + addedVectors > limits.vectorFieldsMax) {
    throw invalidParameter(`maximum vector field's number should be limited to ${limits.vectorFieldsMax}`);
  }
}

function holdsVectors({ dataType }: FieldSchema): boolean {
  return isVector(dataType) || dataType === DataType.ArrayOfVector;
}
