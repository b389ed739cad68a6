import {
  type CollectionInfo,
  type CollectionSchema,
  DYNAMIC_FIELD_NAME,
  dataTypeName,
  type FieldId,
  type FieldSchema,
  invalidParameter,
  isSubField,
  plainFieldName,
  type StructArraySchema,
  subFieldsOf,
  unexpectedParameter,
} from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';
import { readColumnHeader, readStructHeaders } from '../wire/column-reader.ts';
import type { FieldData } from '../wire/field-data.ts';

/** The columns of a request by the field they are for; their values are not read yet. */
export type SentColumns = ReadonlyMap<FieldId, FieldData>;

/**
 * Finds the field of each sent column.
 * @throws MilvusError 1100 for a column too many, one of no field, or one that is there twice
 */
export function* matchColumns(
  fieldsData: readonly Uint8Array[],
  { schema }: CollectionInfo,
): Work<SentColumns> {
  const made = new Set(schema.functions.map(({ output }) => output));
  const ownFields = schema.fields.filter((field) => !isSubField(field));
  const most = ownFields.length - made.size + schema.structArrays.length + (schema.dynamicField ? 1 : 0);
  // One more may be what no client may send, which has a message of its own.
  if (fieldsData.length > most + 1) throw tooMany(most, fieldsData.length);
  const byName = new Map(ownFields.map((field) => [field.name, field]));
  const sent = new Map<FieldId, FieldData>();
  for (const bytes of fieldsData) {
    const column = yield* readColumnHeader(bytes);
    const struct = schema.structArrays.find(({ name }) => name === column.fieldName);
    if (struct !== undefined) {
      yield* matchSubColumns(column, schema, struct, sent);
      continue;
    }
    const field = fieldOf(column, byName, schema.dynamicField);
    if (made.has(field.id))
      throw invalidParameter(`field ${field.name} is a function output, no data may be sent for it`);
    if (sent.has(field.id)) throw invalidParameter(`duplicated field ${field.name} found`);
    sent.set(field.id, column);
  }
  return sent;
}

/** Finds the sub-field of each column of sent struct arrays; all of them have to be there. */
function* matchSubColumns(
  column: FieldData,
  schema: CollectionSchema,
  struct: StructArraySchema,
  sent: Map<FieldId, FieldData>,
): Work<void> {
  const { name } = struct;
  if (column.kind !== 'struct arrays') {
    throw invalidParameter(`unexpected field data type in struct array field, fieldName: ${name}`);
  }
  const subFields = subFieldsOf(schema, struct);
  for (const subColumn of yield* readStructHeaders(column)) {
    const { fieldName } = subColumn;
    const field = subFields.find((each) => plainFieldName(each) === fieldName || each.name === fieldName);
    if (field === undefined) {
      throw invalidParameter(`sub-field '${fieldName}' not found in struct schema '${name}'`);
    }
    if (sent.has(field.id)) throw invalidParameter(`duplicated field ${field.name} found`);
    sent.set(field.id, subColumn);
  }
  const missing = subFields.find(({ id }) => !sent.has(id));
  if (missing !== undefined) {
    throw invalidParameter(
      `sub-field '${plainFieldName(missing)}' of struct '${name}' is missing in insert data`,
    );
  }
}

function tooMany(expected: number, actual: number): Error {
  return unexpectedParameter(String(expected), String(actual), 'more fieldData has pass in');
}

function fieldOf(
  column: FieldData,
  byName: ReadonlyMap<string, FieldSchema>,
  dynamicField: FieldSchema | null,
): FieldSchema {
  if (column.isDynamic || column.fieldName === DYNAMIC_FIELD_NAME) {
    if (dynamicField) return dynamicField;
    throw invalidParameter(
      `without dynamic schema enabled, the field name cannot be set to ${DYNAMIC_FIELD_NAME}`,
    );
  }
  const field = byName.get(column.fieldName);
  if (field) return field;
  throw invalidParameter(
    `fieldName ${column.fieldName} not exist in collection schema, fieldType ${dataTypeName(column.dataType)}, fieldId ${column.fieldId}`,
  );
}
