import { DataType } from '@elanus/model';
import {
  decode,
  type schema_FieldData,
  type schema_IDs,
  type schema_ScalarField,
  type schema_VectorField,
} from '@elanus/proto';
import type { Work } from '../rows/sliced-work.ts';
import { type JsonError, type JsonObject, readJson } from './json-reader.ts';
import { type JsonOut, shortestDouble } from './json-text.ts';

export type ShownRow = { [key: string]: JsonOut };

const ROWS_PER_SLICE = 256;

/**
 * Columns as the wire has them → rows as JSON objects. A dynamic field gives its keys to the row: all of them when
 * `outputFields` has `*` or `$meta`, else the named ones.
 */
export function* shownRows(
  columns: readonly schema_FieldData[],
  rowCount: number,
  outputFields: readonly string[],
): Work<ShownRow[]> {
  const rows: ShownRow[] = Array.from({ length: rowCount }, () => Object.create(null) as ShownRow);
  const isWhole = outputFields.includes('*') || outputFields.includes('$meta');
  for (const column of columns) {
    const values = yield* valuesOf(column, rowCount);
    if (column.isDynamic || column.fieldName === '$meta') {
      for (const [at, row] of rows.entries())
        addDynamic(row, values[at] as JsonObject | null, isWhole ? null : outputFields);
    } else for (const [at, row] of rows.entries()) row[column.fieldName] = values[at];
  }
  return rows;
}

/** Keys as JSON has them. */
export function shownIds(ids: schema_IDs | undefined): readonly JsonOut[] {
  return ids?.intId?.data ?? ids?.strId?.data ?? [];
}

function addDynamic(row: ShownRow, members: JsonObject | null, names: readonly string[] | null): void {
  for (const key in members) if (names === null || names.includes(key)) row[key] = members[key];
}

function* valuesOf(column: schema_FieldData, rowCount: number): Work<readonly JsonOut[]> {
  if (column.structArrays !== undefined) return yield* structsOf(column.structArrays.fields, rowCount);
  const { validData } = column;
  const values =
    column.vectors === undefined
      ? yield* scalarValues(column, column.scalars ?? {})
      : yield* vectorValues(column.type, column.vectors);
  if (validData.length === 0) return values;
  // Rows that are null either have a place holder, or are left out.
  const isSpread = values.length === rowCount;
  let next = 0;
  return validData.map((isValid, at) => {
    if (isSpread) return isValid ? values[at]! : null;
    return isValid ? values[next++]! : null;
  });
}

/** Columns of sub-fields → an array of objects for each row; a row whose sub-fields are null is null itself. */
function* structsOf(fields: readonly schema_FieldData[], rowCount: number): Work<readonly JsonOut[]> {
  const columns: { name: string; values: readonly JsonOut[] }[] = [];
  for (const field of fields)
    columns.push({ name: field.fieldName, values: yield* valuesOf(field, rowCount) });
  return Array.from({ length: rowCount }, (_, row) => {
    const lists = columns.map(({ name, values }) => ({
      name,
      list: values[row] as readonly JsonOut[] | null,
    }));
    if (lists.length === 0 || lists.some(({ list }) => list === null)) return null;
    return lists[0]!.list!.map((_, at) =>
      Object.fromEntries(lists.map(({ name, list }) => [name, list![at]])),
    );
  });
}

function* scalarValues(column: schema_FieldData, scalars: schema_ScalarField): Work<readonly JsonOut[]> {
  if (scalars.jsonData !== undefined) {
    const values: JsonOut[] = [];
    for (const bytes of scalars.jsonData.data) {
      if (values.length % ROWS_PER_SLICE === 0) yield;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      values.push(column.isDynamic || column.fieldName === '$meta' ? yield* jsonOf(text) : text.toString());
    }
    return values;
  }
  if (scalars.arrayData !== undefined) {
    const values: JsonOut[] = [];
    for (const element of scalars.arrayData.data) {
      if (values.length % ROWS_PER_SLICE === 0) yield;
      values.push(listOf(element));
    }
    return values;
  }
  return listOf(scalars);
}

/** A dynamic value that is stored is JSON; a damaged one shows as its text. */
function* jsonOf(text: Buffer): Work<JsonOut> {
  try {
    return yield* readJson(text);
  } catch (error) {
    if ((error as JsonError).name === 'JsonError') return null;
    throw error;
  }
}

function listOf(scalars: schema_ScalarField): readonly JsonOut[] {
  return (
    scalars.floatData?.data.map(shortestDouble) ??
    scalars.boolData?.data ??
    scalars.intData?.data ??
    scalars.longData?.data ??
    scalars.doubleData?.data ??
    scalars.stringData?.data ??
    scalars.geometryWktData?.data ??
    scalars.timestamptzData?.data ??
    []
  );
}

function* vectorValues(type: number, vectors: schema_VectorField): Work<readonly JsonOut[]> {
  const dim = Number(vectors.dim);
  if (vectors.vectorArray !== undefined) {
    const { elementType, data } = vectors.vectorArray;
    const arrays: (readonly JsonOut[])[] = [];
    for (const array of data) arrays.push(yield* vectorValues(elementType, array));
    return arrays;
  }
  if (vectors.floatVector !== undefined) {
    const { data } = vectors.floatVector;
    const values: Float32Array[] = [];
    for (let at = 0; at < data.length; at += dim) {
      if (values.length % ROWS_PER_SLICE === 0) yield;
      values.push(Float32Array.from(data.slice(at, at + dim)));
    }
    return values;
  }
  if (vectors.sparseFloatVector !== undefined) return vectors.sparseFloatVector.contents.map(sparseObject);
  const [bytes, length] = bytesOf(type, vectors, dim);
  const values: string[] = [];
  for (let at = 0; at < bytes.length; at += length)
    values.push(Buffer.from(bytes.subarray(at, at + length)).toString('base64'));
  return values;
}

function bytesOf(
  type: number,
  vectors: schema_VectorField,
  dim: number,
): [bytes: Uint8Array, length: number] {
  switch (type) {
    case DataType.BinaryVector:
      return [vectors.binaryVector ?? NOTHING, dim / 8];
    case DataType.Float16Vector:
      return [vectors.float16Vector ?? NOTHING, 2 * dim];
    case DataType.BFloat16Vector:
      return [vectors.bfloat16Vector ?? NOTHING, 2 * dim];
    default:
      return [vectors.int8Vector ?? NOTHING, dim];
  }
}
const NOTHING = new Uint8Array(0);

function sparseObject(bytes: Uint8Array): JsonOut {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const object: { [key: string]: JsonOut } = {};
  for (let at = 0; at + 8 <= bytes.length; at += 8)
    object[String(view.getUint32(at, true))] = shortestDouble(view.getFloat32(at + 4, true));
  return object;
}

/** The columns of a query's answer. */
export function decodedColumns(fieldsData: readonly Uint8Array[]): schema_FieldData[] {
  return fieldsData.map((bytes) => decode('schema.FieldData', bytes));
}
