import { DataType, type NumericColumn } from '@elanus/model';

export type NumericType = NumericColumn['dataType'];

/** Bytes of one value. */
export const NUMERIC_BYTES: Readonly<Record<NumericType, number>> = {
  [DataType.Bool]: 1,
  [DataType.Int8]: 1,
  [DataType.Int16]: 2,
  [DataType.Int32]: 4,
  [DataType.Int64]: 8,
  [DataType.Float]: 4,
  [DataType.Double]: 8,
  [DataType.Timestamptz]: 8,
};

export function isNumeric(type: DataType): type is NumericType {
  return type in NUMERIC_BYTES;
}

/** Whether values are 64-bit integers, exact as bigints only. */
export function isInt64Like(type: DataType): type is typeof DataType.Int64 | typeof DataType.Timestamptz {
  return type === DataType.Int64 || type === DataType.Timestamptz;
}

/** The bytes behind the values of rows `start .. end`, without a copy. */
export function bytesOfValues(column: NumericColumn, start: number, end: number): Uint8Array {
  const { values } = column;
  const size = values.BYTES_PER_ELEMENT;
  return new Uint8Array(values.buffer, values.byteOffset + start * size, (end - start) * size);
}

/**
 * A numeric column over `capacity` values in `buffer` from `byteOffset` (a multiple of the value's size), of
 * which the first `length` count.
 */
export function numericColumn(
  dataType: NumericType,
  memory: { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly capacity: number },
  length: number,
  validity: Uint8Array | null,
): NumericColumn {
  const { buffer, byteOffset, capacity } = memory;
  switch (dataType) {
    case DataType.Bool:
      return { dataType, length, validity, values: new Uint8Array(buffer, byteOffset, capacity) };
    case DataType.Int8:
      return { dataType, length, validity, values: new Int8Array(buffer, byteOffset, capacity) };
    case DataType.Int16:
      return { dataType, length, validity, values: new Int16Array(buffer, byteOffset, capacity) };
    case DataType.Int32:
      return { dataType, length, validity, values: new Int32Array(buffer, byteOffset, capacity) };
    case DataType.Int64:
    case DataType.Timestamptz:
      return { dataType, length, validity, values: new BigInt64Array(buffer, byteOffset, capacity) };
    case DataType.Float:
      return { dataType, length, validity, values: new Float32Array(buffer, byteOffset, capacity) };
    case DataType.Double:
      return { dataType, length, validity, values: new Float64Array(buffer, byteOffset, capacity) };
  }
}
