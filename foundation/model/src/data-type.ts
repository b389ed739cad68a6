import type { TextType } from './column.ts';

/** Field types with the numbers they have on the wire (`schema.DataType` of milvus-proto). */
export const DataType = {
  Bool: 1,
  Int8: 2,
  Int16: 3,
  Int32: 4,
  Int64: 5,
  Float: 10,
  Double: 11,
  VarChar: 21,
  Array: 22,
  JSON: 23,
  Geometry: 24,
  Text: 25,
  Timestamptz: 26,
  BinaryVector: 100,
  FloatVector: 101,
  Float16Vector: 102,
  BFloat16Vector: 103,
  SparseFloatVector: 104,
  Int8Vector: 105,
  ArrayOfVector: 106,
  ArrayOfStruct: 200,
  Struct: 201,
} as const;
export type DataType = (typeof DataType)[keyof typeof DataType];

/** Types whose rows all take the same number of bytes: `dim` elements, or `dim` bits. */
export type DenseVectorType = 100 | 101 | 102 | 103 | 105;
export type VectorType = DenseVectorType | 104;

/** What a vector field compares by. Upper case, as on the wire. */
export const METRIC_TYPES = [
  'L2',
  'IP',
  'COSINE',
  'HAMMING',
  'JACCARD',
  'BM25',
  'SUBSTRUCTURE',
  'SUPERSTRUCTURE',
  'MHJACCARD',
  // Of lists of vectors: each of the query's finds its best, and the bests are added up.
  'MAX_SIM',
  'MAX_SIM_COSINE',
  'MAX_SIM_IP',
  'MAX_SIM_L2',
  'MAX_SIM_HAMMING',
  'MAX_SIM_JACCARD',
] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** Whether the best score of `metric` is the smallest (a distance) or the largest (a similarity). */
export function metricOrder(metric: MetricType): 'ascending' | 'descending' {
  switch (metric) {
    case 'L2':
    case 'HAMMING':
    case 'JACCARD':
    case 'SUBSTRUCTURE':
    case 'SUPERSTRUCTURE':
    case 'MAX_SIM_L2':
    case 'MAX_SIM_HAMMING':
    case 'MAX_SIM_JACCARD':
      return 'ascending';
    case 'IP':
    case 'COSINE':
    case 'BM25':
    case 'MHJACCARD':
    case 'MAX_SIM':
    case 'MAX_SIM_COSINE':
    case 'MAX_SIM_IP':
      return 'descending';
  }
}

/** Of lists of vectors the metric that two vectors are compared by; any other metric itself. */
export function metricOfVectors(metric: MetricType): MetricType {
  switch (metric) {
    case 'MAX_SIM':
    case 'MAX_SIM_COSINE':
      return 'COSINE';
    case 'MAX_SIM_IP':
      return 'IP';
    case 'MAX_SIM_L2':
      return 'L2';
    case 'MAX_SIM_HAMMING':
      return 'HAMMING';
    case 'MAX_SIM_JACCARD':
      return 'JACCARD';
    default:
      return metric;
  }
}

export function isDenseVector(type: DataType): type is DenseVectorType {
  return type === 100 || type === 101 || type === 102 || type === 103 || type === 105;
}

export function isVector(type: DataType): type is VectorType {
  return isDenseVector(type) || type === DataType.SparseFloatVector;
}

/** Whether a row holds a run of elements, scalars or vectors. */
export function isArray(type: DataType): type is typeof DataType.Array | typeof DataType.ArrayOfVector {
  return type === DataType.Array || type === DataType.ArrayOfVector;
}

/** Whether values are UTF-8 text. */
export function isText(type: DataType): type is TextType {
  switch (type) {
    case DataType.VarChar:
    case DataType.JSON:
    case DataType.Geometry:
    case DataType.Text:
      return true;
    default:
      return false;
  }
}

/** Bytes of one dense vector of `dim` dimensions. */
export function denseVectorBytes(type: DenseVectorType, dim: number): number {
  switch (type) {
    case DataType.BinaryVector:
      return dim / 8;
    case DataType.FloatVector:
      return dim * 4;
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
      return dim * 2;
    case DataType.Int8Vector:
      return dim;
  }
}

const NAME_BY_TYPE: ReadonlyMap<number, string> = new Map(
  Object.entries(DataType).map(([name, number]) => [number, name]),
);

/** The wire's name of a type, for messages: `Int64`, `FloatVector`. */
export function dataTypeName(type: number): string {
  return NAME_BY_TYPE.get(type) ?? `DataType(${type})`;
}
