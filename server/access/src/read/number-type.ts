import { DataType } from '@elanus/model';

const NUMBERS: ReadonlySet<DataType> = new Set<DataType>([
  DataType.Int8,
  DataType.Int16,
  DataType.Int32,
  DataType.Int64,
  DataType.Float,
  DataType.Double,
]);

/** Whether values of the type can be added and scaled: whole and decimal numbers, no booleans, no instants. */
export function isNumberType(type: DataType): boolean {
  return NUMBERS.has(type);
}
