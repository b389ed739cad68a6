import { DataType, type MilvusError } from '@elanus/model';
import {
  type Draft,
  encode,
  type schema_CollectionSchema,
  type schema_FieldData,
  type schema_FieldSchema,
  type schema_ScalarField,
} from '@elanus/proto';
import type { Work } from '../rows/sliced-work.ts';
import { isInt64, isObject } from './body.ts';
import type { Json, JsonObject } from './json-reader.ts';
import { jsonPieces } from './json-text.ts';
import { badRow } from './rest-errors.ts';
import { vectorOf } from './sent-vectors.ts';

/** Rows between two yields. */
const ROWS_PER_SLICE = 64;
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
    const column = yield* columnOf(field, objects, { isPartial, isAutoId: schema.autoID || field.autoID });
    if (column !== null) fieldsData.push(encode('schema.FieldData', column));
  }
  for (const struct of schema.structArrayFields) known.add(struct.name);
  const dynamic = yield* dynamicColumn(objects, known, schema.enableDynamicField);
  if (dynamic !== null) fieldsData.push(encode('schema.FieldData', dynamic));
  return { fieldsData, numRows: rows.length };
}

/** `null`: no row has it, and it may be left out. */
function* columnOf(
  field: schema_FieldSchema,
  rows: readonly JsonObject[],
  { isPartial, isAutoId }: { readonly isPartial: boolean; readonly isAutoId: boolean },
): Work<Draft<schema_FieldData> | null> {
  const { name } = field;
  const isMadeByUs = field.isFunctionOutput || (field.isPrimaryKey && isAutoId);
  if ((isMadeByUs || isPartial) && rows.every((row) => row[name] === undefined)) return null;
  const mayBeNull = field.nullable || field.defaultValue !== undefined;
  const values: Json[] = [];
  const validData: boolean[] = [];
  for (const [at, row] of rows.entries()) {
    const value = row[name] ?? null;
    if (value === null && !mayBeNull) throw badRow(`row ${at} has no value for the field ${name}`);
    if (value !== null) values.push(value);
    validData.push(value !== null);
  }
  const column = yield* valuesOf(field, values);
  return { type: field.dataType, fieldName: name, ...column, ...(mayBeNull ? { validData } : {}) };
}

function* valuesOf(
  field: schema_FieldSchema,
  values: readonly Json[],
): Work<Pick<Draft<schema_FieldData>, 'scalars' | 'vectors'>> {
  if (field.dataType >= DataType.BinaryVector && field.dataType <= DataType.Int8Vector)
    return { vectors: yield* vectorOf(field, values) };
  if (field.dataType === DataType.Array) {
    const data: Draft<schema_ScalarField>[] = [];
    for (const [at, value] of values.entries()) {
      if (at % ROWS_PER_SLICE === 0) yield;
      if (!Array.isArray(value)) throw misfit(field, value);
      data.push(scalarsOf({ ...field, dataType: field.elementType }, value));
    }
    return { scalars: { arrayData: { data, elementType: field.elementType } } };
  }
  if (field.dataType === DataType.JSON) {
    const data: Uint8Array[] = [];
    for (const value of values) data.push(yield* encodedJson(value));
    return { scalars: { jsonData: { data } } };
  }
  return { scalars: scalarsOf(field, values) };
}

/** Values of one scalar type, as `ScalarField` has them. */
function scalarsOf(field: schema_FieldSchema, values: readonly Json[]): Draft<schema_ScalarField> {
  switch (field.dataType) {
    case DataType.Bool:
      return {
        boolData: { data: values.map((value) => required(field, value, typeof value === 'boolean')) },
      };
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      return { intData: { data: values.map((value) => required(field, value, isInt32(value))) } };
    case DataType.Int64:
      return {
        longData: {
          data: values.map((value) => {
            if (!isInt64(value)) throw misfit(field, value);
            return BigInt(value);
          }),
        },
      };
    case DataType.Float:
      return { floatData: { data: values.map((value) => numberOf(field, value)) } };
    case DataType.Double:
      return { doubleData: { data: values.map((value) => numberOf(field, value)) } };
    case DataType.VarChar:
    case DataType.Text:
    case DataType.Timestamptz:
      return { stringData: { data: values.map((value) => textOf(field, value)) } };
    case DataType.Geometry:
      return { geometryWktData: { data: values.map((value) => textOf(field, value)) } };
    default:
      throw badRow(`the field ${field.name} has a type that rows of REST cannot carry`);
  }
}

function required<Value extends Json>(field: schema_FieldSchema, value: Json, fits: boolean): Value {
  if (!fits) throw misfit(field, value);
  return value as Value;
}

function isInt32(value: Json): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

function numberOf(field: schema_FieldSchema, value: Json): number {
  if (typeof value === 'bigint') return Number(value);
  return required(field, value, typeof value === 'number');
}

/** A bare number is taken as its literal text. */
function textOf(field: schema_FieldSchema, value: Json): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return required(field, value, typeof value === 'string');
}

function misfit(field: schema_FieldSchema, value: Json): MilvusError {
  const text =
    typeof value === 'object' && value !== null
      ? Array.isArray(value)
        ? 'an array'
        : 'an object'
      : String(value);
  return badRow(`the field ${field.name} cannot be ${text.slice(0, 64)}`);
}

/** A string that is JSON text itself is taken for what it says. */
function* encodedJson(value: Json): Work<Uint8Array> {
  if (typeof value === 'string') {
    try {
      JSON.parse(value);
      return Buffer.from(value);
    } catch {
      // A plain text.
    }
  }
  return Buffer.from((yield* jsonPieces(value, 'number')).join(''));
}

/** What the rows have besides their fields; `null` when nothing. */
function* dynamicColumn(
  rows: readonly JsonObject[],
  known: ReadonlySet<string>,
  isAllowed: boolean,
): Work<Draft<schema_FieldData> | null> {
  const data: Uint8Array[] = [];
  let isEmpty = true;
  for (const row of rows) {
    const extra = Object.create(null) as JsonObject;
    for (const key in row) {
      if (known.has(key)) continue;
      if (key === META) throw badRow(`a row cannot have the key ${META}`);
      if (!isAllowed) throw badRow('has pass more field without dynamic schema, please check it');
      extra[key] = row[key]!;
      isEmpty = false;
    }
    data.push(Buffer.from((yield* jsonPieces(extra, 'number')).join('')));
  }
  if (isEmpty) return null;
  return { type: DataType.JSON, fieldName: META, isDynamic: true, scalars: { jsonData: { data } } };
}
