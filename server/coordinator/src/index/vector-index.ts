import {
  type CollectionSchema,
  DataType,
  dataTypeName,
  type FieldSchema,
  functionOfOutput,
  type MetricType,
  type VectorType,
} from '@elanus/model';
import { invalidIndexParameter } from './index-error.ts';
import {
  hashesDivideDim,
  PARAMETER_RULES,
  type ParameterRules,
  subquantizersDivideDim,
} from './vector-index-parameters.ts';

/** `words`: sparse vectors that a BM25 function makes; `hashes`: binary ones that a MinHash function makes. */
type VectorKind = 'float' | 'int8' | 'binary' | 'hashes' | 'sparse' | 'words' | 'float list' | 'binary list';

const KIND_BY_TYPE: Readonly<Record<VectorType, Exclude<VectorKind, 'words' | 'hashes'>>> = {
  [DataType.FloatVector]: 'float',
  [DataType.Float16Vector]: 'float',
  [DataType.BFloat16Vector]: 'float',
  [DataType.Int8Vector]: 'int8',
  [DataType.BinaryVector]: 'binary',
  [DataType.SparseFloatVector]: 'sparse',
};

/** Index types by the kind of vector they are built on. */
const KINDS_BY_INDEX_TYPE: ReadonlyMap<string, readonly VectorKind[]> = new Map<
  string,
  readonly VectorKind[]
>([
  ['FLAT', ['float']],
  ['IVF_FLAT', ['float', 'float list']],
  ['IVF_SQ8', ['float']],
  ['IVF_PQ', ['float']],
  ['IVF_RABITQ', ['float']],
  ['IVF_RABITQ_FASTSCAN', ['float']],
  ['HNSW', ['float', 'int8', 'float list', 'binary list']],
  ['HNSW_SQ', ['float', 'int8', 'float list']],
  ['HNSW_PQ', ['float', 'int8', 'float list']],
  ['HNSW_PRQ', ['float', 'int8', 'float list']],
  ['SCANN', ['float', 'float list']],
  ['DISKANN', ['float', 'float list']],
  ['AISAQ', ['float']],
  ['BIN_FLAT', ['binary', 'hashes']],
  ['BIN_IVF_FLAT', ['binary', 'hashes']],
  ['MINHASH_LSH', ['binary', 'hashes']],
  ['SPARSE_INVERTED_INDEX', ['sparse', 'words']],
  ['SPARSE_WAND', ['sparse', 'words']],
]);

/** Index types for fewer metrics than their kind of vectors has. */
const METRICS_BY_INDEX_TYPE: ReadonlyMap<string, readonly MetricType[]> = new Map<
  string,
  readonly MetricType[]
>([
  ['BIN_IVF_FLAT', ['HAMMING', 'JACCARD']],
  ['MINHASH_LSH', ['MHJACCARD']],
]);

/** Metrics that exact search serves, the default first, with Milvus' words for any other. */
const METRICS_BY_KIND: Readonly<Record<VectorKind, readonly MetricType[]>> = {
  float: ['COSINE', 'L2', 'IP'],
  int8: ['COSINE', 'L2', 'IP'],
  binary: ['HAMMING', 'JACCARD', 'SUBSTRUCTURE', 'SUPERSTRUCTURE', 'MHJACCARD'],
  hashes: ['MHJACCARD', 'HAMMING', 'JACCARD', 'SUBSTRUCTURE', 'SUPERSTRUCTURE'],
  sparse: ['IP'],
  words: ['BM25'],
  'float list': ['MAX_SIM_COSINE', 'MAX_SIM', 'MAX_SIM_IP', 'MAX_SIM_L2', 'COSINE', 'IP', 'L2'],
  'binary list': ['MAX_SIM_HAMMING', 'MAX_SIM_JACCARD', 'HAMMING', 'JACCARD'],
};

export function isVectorIndexType(type: string): boolean {
  return KINDS_BY_INDEX_TYPE.has(type);
}

export function defaultMetric(schema: CollectionSchema, field: FieldSchema): MetricType {
  return METRICS_BY_KIND[kindOf(schema, field)][0]!;
}

/**
 * The metric called `name`, in whatever case.
 * @throws MilvusError 1100 when vectors like those of `field` are not compared by it
 */
export function metricFor(schema: CollectionSchema, field: FieldSchema, name: string): MetricType {
  const kind = kindOf(schema, field);
  const upper = name.toUpperCase();
  const metric = METRICS_BY_KIND[kind].find((known) => known === upper);
  if (metric !== undefined) return metric;
  switch (kind) {
    case 'float':
      throw invalidIndexParameter(`float vector index does not support metric type: ${name}`);
    case 'int8':
      throw invalidIndexParameter(`int vector index does not support metric type: ${name}`);
    case 'binary':
    case 'hashes':
      throw invalidIndexParameter(`binary vector index does not support metric type: ${name}`);
    case 'sparse':
      throw invalidIndexParameter(
        upper === 'BM25'
          ? 'only BM25 Function output field support BM25 metric type'
          : 'only IP&BM25 is the supported metric type for sparse index',
      );
    case 'float list':
    case 'binary list':
      throw invalidIndexParameter(`array of vector index does not support metric type: ${name}`);
    case 'words':
      throw invalidIndexParameter(
        `index metric type of BM25 function output field must be BM25, got ${name}`,
      );
  }
}

/** @throws MilvusError 1100 when `field` cannot have an index of this type, or a parameter is out of its range */
export function checkVectorIndex(
  schema: CollectionSchema,
  field: FieldSchema,
  type: string,
  metric: MetricType,
  params: ReadonlyMap<string, string>,
): void {
  const kinds = KINDS_BY_INDEX_TYPE.get(type) ?? [];
  if (!kinds.includes(kindOf(schema, field))) {
    throw invalidIndexParameter(
      `data type ${dataTypeName(field.dataType)} can't build with this index ${type}`,
    );
  }
  const metrics = METRICS_BY_INDEX_TYPE.get(type) ?? [metric];
  if (!metrics.includes(metric))
    throw invalidIndexParameter(
      `metric type ${metric} not found or not supported, supported: [${metrics.join(' ')}]`,
    );
  const rules: ParameterRules = PARAMETER_RULES.get(type) ?? {};
  for (const [name, rule] of Object.entries(rules)) {
    const problem = rule(params.get(name), name);
    if (problem !== null) throw invalidIndexParameter(problem);
  }
  const problem =
    subquantizersDivideDim(type, field.dim, params) ?? hashesDivideDim(metric, field.dim, params);
  if (problem !== null) throw invalidIndexParameter(problem);
}

/** As `checkVectorIndex`, for an index that names no type: hashes are those of the MinHash function. */
export function checkChosenIndex(field: FieldSchema, metric: MetricType): void {
  const problem = hashesDivideDim(metric, field.dim, new Map([['mh_element_bit_width', '32']]));
  if (problem !== null) throw invalidIndexParameter(problem);
}

function kindOf(schema: CollectionSchema, field: FieldSchema): VectorKind {
  const made = functionOfOutput(schema, field.id)?.type;
  if (made === 'BM25') return 'words';
  if (made === 'MinHash') return 'hashes';
  if (field.dataType === DataType.ArrayOfVector)
    return field.elementType === DataType.BinaryVector ? 'binary list' : 'float list';
  return KIND_BY_TYPE[field.dataType as VectorType];
}
