/** Field numbers of the messages that carry rows (`schema.proto` of milvus-proto). */
export const FIELD_DATA = {
  type: 1,
  fieldName: 2,
  scalars: 3,
  vectors: 4,
  fieldId: 5,
  isDynamic: 6,
  validData: 7,
  structArrays: 8,
} as const;

export const SCALARS = {
  bool: 1,
  int: 2,
  long: 3,
  float: 4,
  double: 5,
  string: 6,
  array: 8,
  json: 9,
  timestamptz: 11,
  wkt: 12,
  validData: 17,
} as const;

export const VECTORS = {
  dim: 1,
  float: 2,
  binary: 3,
  float16: 4,
  bfloat16: 5,
  sparse: 6,
  int8: 7,
  array: 8,
  validData: 9,
} as const;

/** `data` of every array message: BoolArray, LongArray, FloatArray, … */
export const LIST_DATA = 1;
export const ARRAY_ELEMENT_TYPE = 2;
/** `VectorArray`: the vectors of each row are a VectorField of their own. */
export const VECTOR_ARRAY = { dim: 1, data: 2, elementType: 3 } as const;
/** `fields` of StructArrayField: a FieldData for each sub-field. */
export const STRUCT_FIELDS = 1;
export const SPARSE = { contents: 1, dim: 2 } as const;
export const IDS = { int: 1, string: 2 } as const;
