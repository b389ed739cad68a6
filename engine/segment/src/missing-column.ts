import {
  type Column,
  DataType,
  type DefaultValue,
  type DenseVectorColumn,
  type DenseVectorType,
  denseVectorBytes,
  type ElementColumn,
  type FieldSchema,
  isDenseVector,
  isText,
} from '@elanus/model';
import { isNumeric, NUMERIC_BYTES, numericColumn } from './numeric-type.ts';

/** `length` rows of a field that was added after they were written: its default value, or null without one. */
export function missingColumn(field: FieldSchema, length: number): Column {
  const { dataType, defaultValue } = field;
  const validity = defaultValue === null ? new Uint8Array(length) : null;
  if (isNumeric(dataType)) return defaultNumbers(dataType, length, validity, defaultValue);
  if (isDenseVector(dataType)) return { ...zeroVectors(dataType, field.dim ?? 0, length), validity };
  if (isText(dataType)) {
    return { dataType, length, validity, ...repeatedText(String(defaultValue ?? ''), length) } as Column;
  }
  switch (dataType) {
    case DataType.SparseFloatVector:
      return { dataType, length, validity, ...repeatedText('', length) };
    case DataType.Array: {
      const elements = missingElements(field.elementType ?? DataType.Int64);
      return { dataType, length, validity, offsets: new Uint32Array(length + 1), elements };
    }
    case DataType.ArrayOfVector: {
      const elements = zeroVectors(field.elementType as DenseVectorType, field.dim ?? 0, 0);
      return { dataType, length, validity, offsets: new Uint32Array(length + 1), elements };
    }
    default:
      throw new TypeError(`no column of type ${dataType}`);
  }
}

function zeroVectors(dataType: DenseVectorType, dim: number, length: number): DenseVectorColumn {
  const bytes = new Uint8Array(length * denseVectorBytes(dataType, dim));
  return { dataType, dim, length, validity: null, bytes };
}

function defaultNumbers(
  dataType: Parameters<typeof numericColumn>[0],
  length: number,
  validity: Uint8Array | null,
  value: DefaultValue | null,
): Column {
  const memory = {
    buffer: new ArrayBuffer(length * NUMERIC_BYTES[dataType]),
    byteOffset: 0,
    capacity: length,
  };
  const column = numericColumn(dataType, memory, length, validity);
  if (value === null) return column;
  if (column.values instanceof BigInt64Array) column.values.fill(BigInt(value));
  else column.values.fill(Number(value));
  return column;
}

function repeatedText(text: string, length: number): { offsets: Uint32Array; bytes: Uint8Array } {
  const one = Buffer.from(text);
  const bytes = Buffer.alloc(one.length * length, one);
  const offsets = new Uint32Array(length + 1);
  if (one.length > 0) for (let row = 1; row <= length; row++) offsets[row] = row * one.length;
  return { offsets, bytes };
}

function missingElements(elementType: DataType): ElementColumn {
  if (isNumeric(elementType))
    return numericColumn(elementType, { buffer: new ArrayBuffer(0), byteOffset: 0, capacity: 0 }, 0, null);
  return {
    dataType: DataType.VarChar,
    length: 0,
    validity: null,
    offsets: new Uint32Array(1),
    bytes: new Uint8Array(),
  };
}
