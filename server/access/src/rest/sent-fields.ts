import { DataType } from '@elanus/model';
import type {
  schema_CollectionSchema,
  schema_FieldSchema,
  schema_StructArrayFieldSchema,
} from '@elanus/proto';
import type { Work } from '../rows/sliced-work.ts';
import { FIELD_DATA, STRUCT_FIELDS } from '../wire/field-data-format.ts';
import { MessageWriter } from '../wire/message-writer.ts';
import { isObject } from './body.ts';
import type { Json, JsonObject } from './json-reader.ts';
import { badRow } from './rest-errors.ts';
import { arraysOf, misfit, type SentScalars, scalarsOf, writeArrays, writeScalars } from './sent-scalars.ts';
import { vectorArraysOf, vectorsOf, writeVectorArrays, writeVectors } from './sent-vectors.ts';

/** Rows between two yields where next to nothing is done with each. */
const ROWS_PER_SLICE = 4_096;
const META = '$meta';

export interface SentFields {
  /** `schema.FieldData`, encoded, as Insert and Upsert take them. */
  readonly fieldsData: Uint8Array[];
  readonly numRows: number;
}

/**
 * Rows as JSON objects → columns as the wire has them. Keys that no field has go to the dynamic field.
 * @throws MilvusError 1804 for what fits no field or not its own
 */
export function* sentFields(
  rows: readonly Json[],
  schema: schema_CollectionSchema,
  { isPartial }: { readonly isPartial: boolean },
): Work<SentFields> {
  const objects = rows.map((row, at) => {
    if (!isObject(row)) throw badRow(`row ${at} is not an object`);
    return row;
  });
  const fieldsData: Uint8Array[] = [];
  const known = new Set<string>();
  for (const field of schema.fields) {
    if (field.isDynamic) continue;
    known.add(field.name);
    const isMadeByUs = field.isFunctionOutput || (field.isPrimaryKey && (schema.autoID || field.autoID));
    const mayBeNull = field.nullable || field.defaultValue !== undefined;
    const sent = yield* sentValues(field.name, objects, { mayBeNull, mayBeLeftOut: isMadeByUs || isPartial });
    if (sent !== null) fieldsData.push(yield* encodedColumn(field, sent));
  }
  for (const struct of schema.structArrayFields) {
    known.add(struct.name);
    const sent = yield* sentValues(struct.name, objects, {
      mayBeNull: struct.nullable,
      mayBeLeftOut: isPartial,
    });
    if (sent !== null) fieldsData.push(yield* encodedStructs(struct, sent));
  }
  const dynamic = yield* dynamicValues(objects, known, schema.enableDynamicField);
  if (dynamic !== null)
    fieldsData.push(yield* encodedColumn(META_FIELD, { values: dynamic, validity: null }));
  return { fieldsData, numRows: rows.length };
}

/** What the rows have for one field. */
export interface SentValues {
  /** Without nulls. */
  readonly values: readonly Json[];
  /** 1 for each row that has a value; `null` of a field that cannot be null. */
  readonly validity: Uint8Array | null;
}

/** `null`: no row has it, and it may be left out. */
function* sentValues(
  name: string,
  rows: readonly JsonObject[],
  { mayBeNull, mayBeLeftOut }: { readonly mayBeNull: boolean; readonly mayBeLeftOut: boolean },
): Work<SentValues | null> {
  if (mayBeLeftOut && rows.every((row) => row[name] === undefined)) return null;
  const values: Json[] = [];
  const validity = mayBeNull ? new Uint8Array(rows.length) : null;
  for (const [at, row] of rows.entries()) {
    if (at % ROWS_PER_SLICE === 0) yield;
    const value = row[name] ?? null;
    if (value === null && !mayBeNull) throw badRow(`row ${at} has no value for the field ${name}`);
    if (value === null) continue;
    values.push(value);
    if (validity !== null) validity[at] = 1;
  }
  return { values, validity };
}

export type ColumnField = Pick<
  schema_FieldSchema,
  'name' | 'dataType' | 'elementType' | 'typeParams' | 'isDynamic'
>;

/** Where keys go that no field has. */
export const META_FIELD: ColumnField = {
  name: META,
  dataType: DataType.JSON,
  elementType: 0,
  typeParams: [],
  isDynamic: true,
};

/** A `schema.FieldData`. */
export function* encodedColumn(field: ColumnField, { values, validity }: SentValues): Work<Uint8Array> {
  const { dataType } = field;
  const isVector = dataType >= DataType.BinaryVector && dataType <= DataType.Int8Vector;
  const isNested = dataType === DataType.Array || dataType === DataType.ArrayOfVector;
  if (!isVector && !isNested) return encodedScalars(field, yield* scalarsOf(field, values), validity);
  const writer = new MessageWriter();
  writer.number(FIELD_DATA.type, field.dataType).text(FIELD_DATA.fieldName, field.name);
  if (dataType === DataType.Array) {
    const arrays = yield* arraysOf(field, values);
    writer.message(FIELD_DATA.scalars, (scalars) => writeArrays(scalars, field, arrays));
  } else if (dataType === DataType.ArrayOfVector) {
    const arrays = yield* vectorArraysOf(field, values);
    writer.message(FIELD_DATA.vectors, (vectors) => writeVectorArrays(vectors, field, arrays));
  } else {
    const sent = yield* vectorsOf(field, values);
    writer.message(FIELD_DATA.vectors, (vectors) => writeVectors(vectors, sent));
  }
  writer.flag(FIELD_DATA.isDynamic, field.isDynamic);
  if (validity !== null) writer.fixed(FIELD_DATA.validData, validity);
  return writer.finish();
}

/** A `schema.FieldData` of scalars that are in the form of the wire already. */
export function encodedScalars(
  field: ColumnField,
  sent: SentScalars,
  validity: SentValues['validity'],
): Uint8Array {
  const writer = new MessageWriter();
  writer.number(FIELD_DATA.type, field.dataType).text(FIELD_DATA.fieldName, field.name);
  writer.message(FIELD_DATA.scalars, (scalars) => writeScalars(scalars, sent));
  writer.flag(FIELD_DATA.isDynamic, field.isDynamic);
  if (validity !== null) writer.fixed(FIELD_DATA.validData, validity);
  return writer.finish();
}

/** Arrays of objects as a column for each sub-field. */
export function* encodedStructs(
  struct: schema_StructArrayFieldSchema,
  { values, validity }: SentValues,
): Work<Uint8Array> {
  const names = new Set(struct.fields.map(({ name }) => name));
  for (const value of values) {
    if (!Array.isArray(value)) throw misfit(struct, value);
    for (const element of value) {
      if (!isObject(element)) throw misfit(struct, element);
      for (const key in element)
        if (!names.has(key)) throw badRow(`the structs of ${struct.name} have no field ${key}`);
    }
    yield;
  }
  const rows = values as readonly (readonly JsonObject[])[];
  const columns: Uint8Array[] = [];
  for (const field of struct.fields) {
    const own = rows.map((elements) =>
      elements.map((element) => {
        const value = element[field.name] ?? null;
        if (value === null) throw badRow(`a struct of ${struct.name} has no value for ${field.name}`);
        return value;
      }),
    );
    columns.push(yield* encodedColumn(field, { values: own, validity }));
  }
  const writer = new MessageWriter();
  writer.number(FIELD_DATA.type, DataType.ArrayOfStruct).text(FIELD_DATA.fieldName, struct.name);
  writer.message(FIELD_DATA.structArrays, (fields) => {
    for (const column of columns) fields.bytes(STRUCT_FIELDS, column);
  });
  if (validity !== null) writer.fixed(FIELD_DATA.validData, validity);
  return writer.finish();
}

/** What the rows have besides their fields; `null` when nothing. */
function* dynamicValues(
  rows: readonly JsonObject[],
  known: ReadonlySet<string>,
  isAllowed: boolean,
): Work<readonly JsonObject[] | null> {
  const extras: JsonObject[] = [];
  let isEmpty = true;
  for (const [at, row] of rows.entries()) {
    if (at % ROWS_PER_SLICE === 0) yield;
    const extra = Object.create(null) as JsonObject;
    for (const key in row) {
      if (known.has(key)) continue;
      if (key === META) throw badRow(`a row cannot have the key ${META}`);
      if (!isAllowed) throw badRow('has pass more field without dynamic schema, please check it');
      extra[key] = row[key]!;
      isEmpty = false;
    }
    extras.push(extra);
  }
  return isEmpty ? null : extras;
}
