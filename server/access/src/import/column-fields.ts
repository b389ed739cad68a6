import type { CellValue, ColumnBatch, FileColumn, NumberArray, NumberLists } from '@elanus/formats';
import { DataType, denseVectorBytes, isDenseVector } from '@elanus/model';
import type { schema_CollectionSchema, schema_FieldSchema } from '@elanus/proto';
import type { Json, JsonObject } from '../rest/json-reader.ts';
import { readJson } from '../rest/json-reader.ts';
import { badRow } from '../rest/rest-errors.ts';
import {
  encodedColumn,
  encodedScalars,
  encodedStructs,
  META_FIELD,
  type SentFields,
} from '../rest/sent-fields.ts';
import type { SentScalars } from '../rest/sent-scalars.ts';
import { dimensionOf } from '../rest/sent-vectors.ts';
import { runAtOnce } from '../rows/sliced-work.ts';
import { bfloat16Of } from '../wire/bfloat16.ts';
import { encodeInt64s } from '../wire/packed.ts';
import { scalarSlot } from '../wire/scalar-values.ts';
import type { SpareMemory } from './spare-memory.ts';
import { type DenseVectors, vectorFieldData } from './vector-field-data.ts';

const META = '$meta';

/** Rows `from .. to` of a batch as columns of the wire. @throws MilvusError 1804 for what fits no field or not its own */
export function columnFields(
  { rows, columns }: ColumnBatch,
  schema: schema_CollectionSchema,
  { from, to, memory }: { readonly from: number; readonly to: number; readonly memory: SpareMemory },
): SentFields {
  const fields = schema.fields.filter(({ isDynamic }) => !isDynamic);
  const known = new Set([...fields, ...schema.structArrayFields].map(({ name }) => name));
  for (const name of columns.keys()) {
    const isMeta = name === META && schema.enableDynamicField;
    if (!known.has(name) && !isMeta) throw badRow(`the column ${name} is of no field`);
  }
  const fieldsData: Uint8Array[] = [];
  for (const field of fields) {
    const column = columns.get(field.name);
    if (column === undefined) {
      const isMadeByUs = field.isFunctionOutput || (field.isPrimaryKey && (schema.autoID || field.autoID));
      if (isMadeByUs || mayBeNull(field)) continue;
      throw badRow(`there is no column for the field ${field.name}`);
    }
    fieldsData.push(encodedField(field, column, { from, to, memory, isWhole: to - from === rows }));
  }
  for (const struct of schema.structArrayFields) {
    const column = columns.get(struct.name);
    if (column === undefined) {
      if (struct.nullable) continue;
      throw badRow(`there is no column for the field ${struct.name}`);
    }
    const { values, validity } = valuesOf(struct.name, column, from, to, struct.nullable);
    fieldsData.push(runAtOnce(encodedStructs(struct, { values, validity })));
  }
  const meta = columns.get(META);
  if (meta !== undefined) {
    const { values } = valuesOf(META, meta, from, to, false, '{}');
    fieldsData.push(runAtOnce(encodedColumn(META_FIELD, { values, validity: null })));
  }
  return { fieldsData, numRows: to - from };
}

function mayBeNull(field: schema_FieldSchema): boolean {
  return field.nullable || field.defaultValue !== undefined;
}

function encodedField(
  field: schema_FieldSchema,
  column: FileColumn,
  {
    from,
    to,
    ...memory
  }: {
    readonly from: number;
    readonly to: number;
    readonly memory: SpareMemory;
    readonly isWhole: boolean;
  },
): Uint8Array {
  if (column.kind === 'lists' && isDenseVector(field.dataType as DataType))
    return vectorFieldData(field, vectorsOf(field, column, from, to), memory);
  if (column.kind === 'numbers') {
    const sent = sentNumbers(field.dataType as DataType, column.values.subarray(from, to));
    const validity = mayBeNull(field) ? new Uint8Array(to - from).fill(1) : null;
    if (sent !== null) return encodedScalars({ ...field, isDynamic: false }, sent, validity);
  }
  const { values, validity } = valuesOf(field.name, column, from, to, mayBeNull(field));
  const own = field.dataType === DataType.SparseFloatVector ? values.map(sparseValue) : values;
  return runAtOnce(encodedColumn(field, { values: own, validity }));
}

/** Numbers that are of the field's type as they are; `null`: each has to be looked at. */
function sentNumbers(dataType: DataType, numbers: NumberArray): SentScalars | null {
  const slot = scalarSlot(dataType)!;
  if (dataType === DataType.Int64 && numbers instanceof BigInt64Array)
    return { slot, members: [encodeInt64s(numbers)] };
  const isFloat = dataType === DataType.Float && numbers instanceof Float32Array;
  const isDouble = dataType === DataType.Double && numbers instanceof Float64Array;
  if (!isFloat && !isDouble) return null;
  return { slot, members: [new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)] };
}

/** The values of some rows, and which rows have one. */
function valuesOf(
  name: string,
  column: FileColumn,
  from: number,
  to: number,
  canBeNull: boolean,
  instead: Json = null,
): { readonly values: readonly Json[]; readonly validity: Uint8Array | null } {
  const values: Json[] = [];
  const validity = canBeNull ? new Uint8Array(to - from) : null;
  for (let row = from; row < to; row++) {
    const value = valueAt(column, row) ?? instead;
    if (value === null && validity === null)
      throw badRow(`row ${row - from} has no value for the field ${name}`);
    if (value === null) continue;
    values.push(value);
    if (validity !== null) validity[row - from] = 1;
  }
  return { values, validity };
}

function valueAt(column: FileColumn, row: number): Json {
  if (column.kind === 'cells') return jsonOf(column.values[row] ?? null);
  if (column.kind === 'numbers') return column.values[row] ?? null;
  if (column.nulls?.[row] === 1) return null;
  return [...column.numbers.subarray(column.offsets[row], column.offsets[row + 1])];
}

function jsonOf(value: CellValue): Json {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8');
  if (ArrayBuffer.isView(value)) return [...(value as unknown as NumberArray)];
  if (Array.isArray(value)) return value.map(jsonOf);
  const object = Object.create(null) as JsonObject;
  for (const [key, member] of Object.entries(value)) object[key] = jsonOf(member);
  return object;
}

/** Sparse vectors come as JSON text or as what it says. */
function sparseValue(value: Json): Json {
  return typeof value === 'string' ? runAtOnce(readJson(Buffer.from(value))) : value;
}

/** Vectors from lists of numbers, without a value of its own for any of them. */
function vectorsOf(field: schema_FieldSchema, lists: NumberLists, from: number, to: number): DenseVectors {
  const { dataType } = field;
  const dim = dimensionOf(field);
  const canBeNull = mayBeNull(field);
  const validity = canBeNull ? new Uint8Array(to - from).fill(1) : null;
  const widths = widthsOf(field, dim, lists.numbers);
  for (let row = from; row < to; row++) {
    if (lists.nulls?.[row] === 1) {
      if (validity === null) throw badRow(`row ${row - from} has no value for the field ${field.name}`);
      validity[row - from] = 0;
      continue;
    }
    const width = lists.offsets[row + 1]! - lists.offsets[row]!;
    if (!widths.includes(width))
      throw badRow(
        `row ${row - from}: the vector field ${field.name} takes ${widths.join(' or ')} numbers a vector, ${width} came`,
      );
  }
  const numbers = lists.numbers.subarray(lists.offsets[from], lists.offsets[to]) as NumberArray;
  const bytes = vectorBytes(field, numbers, dim);
  const present = validity === null ? to - from : validity.reduce((sum, bit) => sum + bit, 0);
  if (bytes.length !== present * denseVectorBytes(dataType as never, dim))
    throw badRow(`the vectors of ${field.name} are of different widths`);
  return { dim, bytes, validity };
}

/** How many numbers a vector may come as: its elements or, as whole numbers, its bytes. */
function widthsOf({ dataType }: schema_FieldSchema, dim: number, numbers: NumberArray): readonly number[] {
  switch (dataType) {
    case DataType.BinaryVector:
      return [dim / 8];
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
      return isFractional(numbers) ? [dim] : [2 * dim];
    default:
      return [dim];
  }
}

function isFractional(numbers: NumberArray): boolean {
  return (
    numbers instanceof Float32Array || numbers instanceof Float64Array || numbers instanceof Float16Array
  );
}

function vectorBytes({ name, dataType }: schema_FieldSchema, numbers: NumberArray, dim: number): Uint8Array {
  const whole = (min: number, max: number): NumberArray => {
    for (const number of numbers)
      if (number < min || number > max || !Number.isInteger(Number(number)))
        throw badRow(
          `the vector field ${name} of ${dim} dimensions takes whole numbers from ${min} to ${max}`,
        );
    return numbers;
  };
  const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  switch (dataType) {
    case DataType.FloatVector:
      return bytesOf(
        numbers instanceof Float32Array ? numbers : Float32Array.from(numbers as Float64Array, Number),
      );
    case DataType.Int8Vector:
      return bytesOf(Int8Array.from(whole(-128, 127) as Int32Array, Number));
    case DataType.Float16Vector:
      if (numbers instanceof Float16Array) return bytesOf(numbers);
      if (isFractional(numbers)) return bytesOf(Float16Array.from(numbers as Float64Array));
      return Uint8Array.from(whole(0, 255) as Int32Array, Number);
    case DataType.BFloat16Vector:
      if (isFractional(numbers)) return bfloat16Of(Float32Array.from(numbers as Float64Array));
      return Uint8Array.from(whole(0, 255) as Int32Array, Number);
    default:
      return Uint8Array.from(whole(0, 255) as Int32Array, Number);
  }
}
