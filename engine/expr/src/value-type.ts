import { DataType, dataTypeName } from '@elanus/model';
import { FilterError } from './filter-error.ts';
import { elementTypeOf, type Operand, type ValueKind } from './plan.ts';
import type { Constant } from './tree.ts';

const KIND_BY_TYPE: ReadonlyMap<DataType, ValueKind> = new Map<DataType, ValueKind>([
  [DataType.Bool, 'bool'],
  [DataType.Int8, 'integer'],
  [DataType.Int16, 'integer'],
  [DataType.Int32, 'integer'],
  [DataType.Int64, 'integer'],
  [DataType.Float, 'float'],
  [DataType.Double, 'float'],
  [DataType.VarChar, 'string'],
  [DataType.Timestamptz, 'instant'],
  [DataType.JSON, 'json'],
  [DataType.Array, 'array'],
]);

/** `undefined` for types that no filter looks into. */
export function kindOfType(type: DataType): ValueKind | undefined {
  return KIND_BY_TYPE.get(type);
}

/** The scalar type that constants beside `operand` are cast to. */
export function typeOfOperand(operand: Operand): DataType {
  switch (operand.kind) {
    case 'column':
      return operand.field.dataType;
    case 'element':
      return elementTypeOf(operand.field);
    case 'path':
      return DataType.JSON;
    case 'length':
      return DataType.Int64;
    case 'shifted':
      return DataType.Timestamptz;
    case 'arithmetic':
      return typeOfArithmetic(operand.of, operand.constant);
  }
}

function typeOfArithmetic(of: Operand, constant: bigint | number): DataType {
  const kind = kindOfOperand(of);
  if (kind === 'json') return typeof constant === 'bigint' ? DataType.Int64 : DataType.Double;
  return kind === 'integer' ? DataType.Int64 : DataType.Double;
}

/** As `typeOfOperand`, without the width. */
export function kindOfOperand(operand: Operand): ValueKind {
  return kindOfType(typeOfOperand(operand))!;
}

/** The type that Milvus gives a literal. */
export function typeOfConstant(value: Constant): DataType {
  switch (typeof value) {
    case 'boolean':
      return DataType.Bool;
    case 'bigint':
      return DataType.Int64;
    case 'number':
      return DataType.Double;
    case 'string':
      return DataType.VarChar;
  }
}

/** The name of an operand's type in messages: `Int64`, `Array[VarChar]`. */
export function operandTypeName(operand: Operand): string {
  const type = typeOfOperand(operand);
  if (operand.kind === 'column' && type === DataType.Array)
    return `Array[${dataTypeName(elementTypeOf(operand.field))}]`;
  return dataTypeName(type);
}

/** `constant`, as Milvus prints the message that carries it. */
export function printConstant(value: Constant): string {
  switch (typeof value) {
    case 'boolean':
      return `bool_val:${value}`;
    case 'bigint':
      return `int64_val:${value}`;
    case 'number':
      return `float_val:${value}`;
    case 'string':
      return `string_val:${JSON.stringify(value)}`;
  }
}

/** Whether constants and columns of these kinds may be compared at all. */
export function areComparable(left: ValueKind, right: ValueKind): boolean {
  if (left === 'json' || right === 'json') return true;
  const isNumber = (kind: ValueKind) => kind === 'integer' || kind === 'float';
  return left === right || (isNumber(left) && isNumber(right));
}

/**
 * `value` as a constant of `type`: integers become doubles beside floats, and a Float column gets the
 * value it could hold. `undefined` when it would lose its meaning: a fraction for an integer, or
 * another kind.
 */
export function castConstant(value: Constant, type: DataType): Constant | undefined {
  switch (kindOfType(type)) {
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'integer':
    case 'instant':
      return typeof value === 'bigint' ? value : undefined;
    case 'float':
      if (typeof value !== 'bigint' && typeof value !== 'number') return undefined;
      return type === DataType.Float ? Math.fround(Number(value)) : Number(value);
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'json':
      return value;
    default:
      return undefined;
  }
}

/** `value` as a constant to compare `operand` with. @throws FilterError `cannot cast value to T` */
export function castBeside(operand: Operand, value: Constant, phase: 'parse' | 'fill'): Constant {
  const type = typeOfOperand(operand);
  // Integer arithmetic on JSON, whose values may be fractions themselves, takes 3.0 for 3.
  const isJson = operand.kind === 'arithmetic' && kindOfOperand(operand.of) === 'json';
  if (isJson && type === DataType.Int64 && Number.isSafeInteger(value)) return BigInt(value as number);
  return requireCast(value, type, phase);
}

/** @throws FilterError `cannot cast value to T` */
export function requireCast(value: Constant, type: DataType, phase: 'parse' | 'fill'): Constant {
  const cast = castConstant(value, type);
  if (cast !== undefined) return cast;
  throw new FilterError(`cannot cast value to ${dataTypeName(type)}, value: ${printConstant(value)}`, phase);
}
