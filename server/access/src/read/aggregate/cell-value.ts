import { type Column, DataType } from '@elanus/model';
import type { GroupValue } from '../group/group-key.ts';

/** One value of a scalar column: integers are bigints, JSON is its text. */
export function cellAt(column: Column, row: number): GroupValue {
  if (column.validity?.[row] === 0) return null;
  if ('values' in column) {
    const value = column.values[row]!;
    if (column.dataType === DataType.Bool) return value === 1;
    const isFractional = column.dataType === DataType.Float || column.dataType === DataType.Double;
    return isFractional ? Number(value) : BigInt(value);
  }
  if (!('offsets' in column && 'bytes' in column))
    throw new TypeError(`values of type ${column.dataType} are no scalars`);
  const start = column.offsets[row]!;
  const { buffer, byteOffset } = column.bytes;
  return Buffer.from(buffer, byteOffset + start, column.offsets[row + 1]! - start).toString();
}
