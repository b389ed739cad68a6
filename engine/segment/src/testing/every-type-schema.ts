import { type CollectionSchema, DataType } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';

/** Ids of the fields of `everyTypeSchema`, by name. */
export const EVERY_TYPE = {
  key: 100,
  bool: 101,
  int8: 102,
  int16: 103,
  int32: 104,
  int64: 105,
  float: 106,
  double: 107,
  text: 108,
  json: 109,
  numbers: 110,
  words: 111,
  floatVector: 112,
  binaryVector: 113,
  halfVector: 114,
  brainVector: 115,
  byteVector: 116,
  sparseVector: 117,
  meta: 118,
  instant: 119,
  shape: 120,
  longText: 121,
  structNumbers: 122,
  structVectors: 123,
  structBits: 124,
} as const;

/** One field of every type, nullable where a type can be; vectors of 8 dimensions. */
export function everyTypeSchema(keyType: typeof DataType.Int64 | typeof DataType.VarChar): CollectionSchema {
  const nullable = { nullable: true };
  const vector = { dim: 8 };
  return schemaFixture([
    fieldFixture(EVERY_TYPE.key, 'key', keyType, { isPrimaryKey: true }),
    fieldFixture(EVERY_TYPE.bool, 'bool', DataType.Bool, nullable),
    fieldFixture(EVERY_TYPE.int8, 'int8', DataType.Int8, nullable),
    fieldFixture(EVERY_TYPE.int16, 'int16', DataType.Int16),
    fieldFixture(EVERY_TYPE.int32, 'int32', DataType.Int32, nullable),
    fieldFixture(EVERY_TYPE.int64, 'int64', DataType.Int64, nullable),
    fieldFixture(EVERY_TYPE.float, 'float', DataType.Float),
    fieldFixture(EVERY_TYPE.double, 'double', DataType.Double, nullable),
    fieldFixture(EVERY_TYPE.text, 'text', DataType.VarChar, nullable),
    fieldFixture(EVERY_TYPE.json, 'json', DataType.JSON, nullable),
    fieldFixture(EVERY_TYPE.numbers, 'numbers', DataType.Array, { ...nullable, elementType: DataType.Int64 }),
    fieldFixture(EVERY_TYPE.words, 'words', DataType.Array, { elementType: DataType.VarChar }),
    fieldFixture(EVERY_TYPE.floatVector, 'floatVector', DataType.FloatVector, vector),
    fieldFixture(EVERY_TYPE.binaryVector, 'binaryVector', DataType.BinaryVector, vector),
    fieldFixture(EVERY_TYPE.halfVector, 'halfVector', DataType.Float16Vector, vector),
    fieldFixture(EVERY_TYPE.brainVector, 'brainVector', DataType.BFloat16Vector, vector),
    fieldFixture(EVERY_TYPE.byteVector, 'byteVector', DataType.Int8Vector, { ...vector, nullable: true }),
    fieldFixture(EVERY_TYPE.sparseVector, 'sparseVector', DataType.SparseFloatVector),
    fieldFixture(EVERY_TYPE.instant, 'instant', DataType.Timestamptz, nullable),
    fieldFixture(EVERY_TYPE.shape, 'shape', DataType.Geometry, nullable),
    fieldFixture(EVERY_TYPE.longText, 'longText', DataType.Text, nullable),
    fieldFixture(EVERY_TYPE.structNumbers, 'struct[numbers]', DataType.Array, {
      elementType: DataType.Int16,
    }),
    fieldFixture(EVERY_TYPE.structVectors, 'struct[vectors]', DataType.ArrayOfVector, {
      ...vector,
      ...nullable,
      elementType: DataType.FloatVector,
    }),
    fieldFixture(EVERY_TYPE.structBits, 'struct[bits]', DataType.ArrayOfVector, {
      ...vector,
      elementType: DataType.BinaryVector,
    }),
    fieldFixture(EVERY_TYPE.meta, '$meta', DataType.JSON, { isDynamic: true, nullable: true }),
  ]);
}
