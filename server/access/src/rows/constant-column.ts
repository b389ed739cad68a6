import {
  type Column,
  DataType,
  type DefaultValue,
  type DenseVectorColumn,
  denseVectorBytes,
  type FieldSchema,
  isDenseVector,
  type NumericColumn,
} from '@elanus/model';
import { inSlices, type Work } from './sliced-work.ts';

/** Texts that are copied in about half a millisecond. */
const TEXTS_PER_SLICE = 8 * 1024;

/** Bytes that a row of `constantColumn(field, ...)` takes, about. */
export function constantRowBytes(field: FieldSchema): number {
  if (isDenseVector(field.dataType)) return denseVectorBytes(field.dataType, field.dim!);
  const text = typeof field.defaultValue === 'string' ? Buffer.byteLength(field.defaultValue) : 0;
  return 9 + text;
}

/** A column of a field that was not sent: its default value in every row, else nulls. */
export function* constantColumn(field: FieldSchema, rows: number): Work<Column> {
  const nulls = nullColumn(field, rows);
  return field.defaultValue === null ? nulls : yield* withDefaults(nulls, field.defaultValue);
}

function nullColumn(field: FieldSchema, length: number): Column {
  const base = { length, validity: new Uint8Array(length) };
  const type = field.dataType;
  if (isDenseVector(type)) {
    const dim = field.dim!;
    return { ...base, dataType: type, dim, bytes: new Uint8Array(length * denseVectorBytes(type, dim)) };
  }
  switch (type) {
    case DataType.VarChar:
    case DataType.JSON:
    case DataType.Geometry:
    case DataType.Text:
    case DataType.SparseFloatVector:
      return { ...base, dataType: type, offsets: new Uint32Array(length + 1), bytes: new Uint8Array(0) };
    case DataType.ArrayOfVector: {
      const vectors = nullColumn({ ...field, dataType: field.elementType! }, 0) as DenseVectorColumn;
      const elements = { ...vectors, validity: null };
      return { ...base, dataType: type, offsets: new Uint32Array(length + 1), elements };
    }
    case DataType.Array: {
      const elements = nullColumn({ ...field, dataType: field.elementType! }, 0) as NumericColumn;
      return {
        ...base,
        dataType: type,
        offsets: new Uint32Array(length + 1),
        elements: { ...elements, validity: null },
      };
    }
    case DataType.Bool:
      return { ...base, dataType: type, values: new Uint8Array(length) };
    case DataType.Int8:
      return { ...base, dataType: type, values: new Int8Array(length) };
    case DataType.Int16:
      return { ...base, dataType: type, values: new Int16Array(length) };
    case DataType.Int32:
      return { ...base, dataType: type, values: new Int32Array(length) };
    case DataType.Int64:
    case DataType.Timestamptz:
      return { ...base, dataType: type, values: new BigInt64Array(length) };
    case DataType.Float:
      return { ...base, dataType: type, values: new Float32Array(length) };
    case DataType.Double:
      return { ...base, dataType: type, values: new Float64Array(length) };
    default:
      throw new TypeError(`no column holds values of type ${type}`);
  }
}

/** `column` with `value` in place of its nulls. The values of `column` itself are not changed. */
export function* withDefaults(column: Column, value: DefaultValue): Work<Column> {
  const { validity } = column;
  if (validity === null) return column;
  switch (column.dataType) {
    case DataType.VarChar:
    case DataType.JSON:
    case DataType.Geometry:
    case DataType.Text: {
      const text = Buffer.from(String(value));
      const { offsets, bytes } = yield* fillTexts(column.offsets, column.bytes, validity, text);
      return { ...column, validity: null, offsets, bytes };
    }
    case DataType.Int64:
    case DataType.Timestamptz: {
      const values = column.values.slice();
      const number = BigInt(value);
      yield* inSlices(values.length, (begin, end) => {
        for (let row = begin; row < end; row++) if (validity[row] === 0) values[row] = number;
      });
      return { ...column, validity: null, values };
    }
    case DataType.Bool:
      return {
        ...column,
        validity: null,
        values: yield* fill(column.values.slice(), validity, Number(value)),
      };
    case DataType.Int8:
      return {
        ...column,
        validity: null,
        values: yield* fill(column.values.slice(), validity, Number(value)),
      };
    case DataType.Int16:
      return {
        ...column,
        validity: null,
        values: yield* fill(column.values.slice(), validity, Number(value)),
      };
    case DataType.Int32:
      return {
        ...column,
        validity: null,
        values: yield* fill(column.values.slice(), validity, Number(value)),
      };
    case DataType.Float:
      return {
        ...column,
        validity: null,
        values: yield* fill(column.values.slice(), validity, Number(value)),
      };
    case DataType.Double:
      return {
        ...column,
        validity: null,
        values: yield* fill(column.values.slice(), validity, Number(value)),
      };
    default:
      throw new TypeError(`values of type ${column.dataType} have no default`);
  }
}

type Numbers = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

function* fill<Values extends Numbers>(values: Values, validity: Uint8Array, value: number): Work<Values> {
  yield* inSlices(validity.length, (begin, end) => {
    for (let row = begin; row < end; row++) if (validity[row] === 0) values[row] = value;
  });
  return values;
}

function* fillTexts(
  offsets: Uint32Array,
  bytes: Uint8Array,
  validity: Uint8Array,
  text: Uint8Array,
): Work<{ readonly offsets: Uint32Array; readonly bytes: Uint8Array }> {
  const filledOffsets = new Uint32Array(offsets.length);
  yield* inSlices(validity.length, (begin, end) => {
    for (let row = begin; row < end; row++) {
      const length = validity[row] === 0 ? text.length : offsets[row + 1]! - offsets[row]!;
      filledOffsets[row + 1] = filledOffsets[row]! + length;
    }
  });
  const filled = new Uint8Array(filledOffsets[validity.length]!);
  for (let row = 0; row < validity.length; row++) {
    const value = validity[row] === 0 ? text : bytes.subarray(offsets[row], offsets[row + 1]);
    filled.set(value, filledOffsets[row]);
    if (row % TEXTS_PER_SLICE === TEXTS_PER_SLICE - 1) yield;
  }
  return { offsets: filledOffsets, bytes: filled };
}
