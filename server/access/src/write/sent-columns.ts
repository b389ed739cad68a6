import {
  type CollectionInfo,
  DYNAMIC_FIELD_NAME,
  dataTypeName,
  type FieldId,
  type FieldSchema,
  invalidParameter,
  unexpectedParameter,
} from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';
import { readColumnHeader } from '../wire/column-reader.ts';
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
  const most = schema.fields.length - made.size + (schema.dynamicField ? 1 : 0);
  // One more may be what no client may send, which has a message of its own.
  if (fieldsData.length > most + 1) throw tooMany(most, fieldsData.length);
  const byName = new Map(schema.fields.map((field) => [field.name, field]));
  const sent = new Map<FieldId, FieldData>();
  for (const bytes of fieldsData) {
    const column = yield* readColumnHeader(bytes);
    const field = fieldOf(column, byName, schema.dynamicField);
    if (made.has(field.id))
      throw invalidParameter(`field ${field.name} is a function output, no data may be sent for it`);
    if (sent.has(field.id)) throw invalidParameter(`duplicated field ${field.name} found`);
    sent.set(field.id, column);
  }
  return sent;
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
