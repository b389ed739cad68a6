import {
  DataType,
  type DenseVectorType,
  dataTypeName,
  invalidParameter,
  isDenseVector,
  isVector,
} from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';

/** A field as the client described it, its type known to be one that we store. */
export interface ClientField extends schema_FieldSchema {
  readonly dataType: DataType;
}

const STORED_TYPES: ReadonlySet<number> = new Set([
  DataType.Bool,
  DataType.Int8,
  DataType.Int16,
  DataType.Int32,
  DataType.Int64,
  DataType.Float,
  DataType.Double,
  DataType.VarChar,
  DataType.JSON,
  DataType.Array,
  DataType.Geometry,
  DataType.Text,
  DataType.Timestamptz,
  DataType.BinaryVector,
  DataType.FloatVector,
  DataType.Float16Vector,
  DataType.BFloat16Vector,
  DataType.SparseFloatVector,
  DataType.Int8Vector,
]);
const ELEMENT_TYPES: ReadonlySet<number> = new Set([
  DataType.Bool,
  DataType.Int8,
  DataType.Int16,
  DataType.Int32,
  DataType.Int64,
  DataType.Float,
  DataType.Double,
  DataType.VarChar,
]);
const TYPE_NONE = 0;
const TYPE_STRING = 20;

export function isElementType(type: number): type is DataType {
  return ELEMENT_TYPES.has(type);
}

export function isVectorField(field: { readonly dataType: number }): boolean {
  return isVector(field.dataType as DataType);
}

/** Whether structs of an array may hold a vector of `type`. */
export function isElementVector(type: number): type is DenseVectorType {
  return isDenseVector(type as DataType);
}

/** @throws MilvusError 1100 when rows cannot hold values of the field's type */
export function checkFieldType(field: schema_FieldSchema): asserts field is ClientField {
  if (STORED_TYPES.has(field.dataType)) return;
  if (field.dataType === TYPE_STRING || field.dataType === TYPE_NONE) {
    throw invalidParameter('string data type not supported yet, please use VarChar type instead');
  }
  throw invalidParameter(
    `data type ${dataTypeName(field.dataType)} of field ${field.name} is not supported yet`,
  );
}
