import {
  type CollectionSchema,
  DataType,
  type FieldSchema,
  fieldByName,
  type IndexInfo,
  invalidParameter,
  isVector,
  type KeyValue,
  type MetricType,
  refused,
} from '@elanus/model';
import type { CreateIndex } from '@elanus/rpc';
import { invalidIndexType } from './index-error.ts';
import { formatJsonPath, parseJsonPath } from './json-path.ts';
import { checkScalarIndex, isScalarIndexType } from './scalar-index.ts';
import {
  checkChosenIndex,
  checkVectorIndex,
  defaultMetric,
  isVectorIndexType,
  metricFor,
} from './vector-index.ts';

/** A checked request: what is to be indexed, and how. */
export interface IndexDefinition {
  readonly field: FieldSchema;
  readonly indexType: string;
  readonly metricType: MetricType | null;
  readonly params: readonly KeyValue[];
  /** `null` unless the field is JSON: `/a/b` tells its indexes apart. */
  readonly jsonPath: string | null;
  /** For a request that names none. */
  readonly defaultName: string;
}

/** The index that a request defines, under the name that it gets. */
export function indexOf(
  { field, indexType, metricType, params }: IndexDefinition,
  {
    id,
    name,
    collectionId,
    createdTimestamp,
  }: Pick<IndexInfo, 'id' | 'name' | 'collectionId' | 'createdTimestamp'>,
): IndexInfo {
  return { id, collectionId, fieldId: field.id, name, indexType, metricType, params, createdTimestamp };
}

const AUTOINDEX = 'AUTOINDEX';
/** Copied by some clients from the field; they say nothing about the index. */
const DROPPED_PARAMS = ['dim', 'max_length'];
/** Say how an index is kept, not what is built: they may stand beside AUTOINDEX, and change. */
export const STORAGE_PARAMS: readonly string[] = ['mmap.enabled', 'indexoffsetcache.enabled', 'warmup'];

/**
 * What `request` defines on a collection of `schema`.
 * @throws MilvusError 65535 for an unknown field, 1100 or 1101 for parameters that do not fit it
 */
export function defineIndex(schema: CollectionSchema, request: CreateIndex): IndexDefinition {
  const params = paramsOf(request);
  const field = indexedField(schema, request.fieldName, params);
  const type = params.get('index_type') ?? '';
  if (type !== '' && type !== AUTOINDEX && !isVectorIndexType(type) && !isScalarIndexType(type)) {
    throw invalidIndexType(type);
  }
  return isVector(field.dataType) || field.dataType === DataType.ArrayOfVector
    ? defineVectorIndex(schema, field, type, params)
    : defineScalarIndex(field, request.fieldName, type, params);
}

function defineVectorIndex(
  schema: CollectionSchema,
  field: FieldSchema,
  type: string,
  params: ReadonlyMap<string, string>,
): IndexDefinition {
  const isAuto = type === '' || type === AUTOINDEX;
  const indexType = isAuto ? AUTOINDEX : type;
  const metricName = params.get('metric_type') ?? '';
  if (isAuto && buildParams(params).some(({ key }) => !STORAGE_PARAMS.includes(key))) {
    throw invalidParameter('only metric type can be passed when use AutoIndex');
  }
  if (!isAuto && metricName === '') throw invalidParameter('metric type not set for vector index');
  const metricType = metricName === '' ? defaultMetric(schema, field) : metricFor(schema, field, metricName);
  if (isAuto) checkChosenIndex(field, metricType);
  if (!isAuto) checkVectorIndex(schema, field, indexType, metricType, params);
  return {
    field,
    indexType,
    metricType,
    params: [
      { key: 'index_type', value: indexType },
      { key: 'metric_type', value: metricType },
      ...buildParams(params),
    ],
    jsonPath: null,
    defaultName: field.name,
  };
}

function defineScalarIndex(
  field: FieldSchema,
  askedName: string,
  type: string,
  params: ReadonlyMap<string, string>,
): IndexDefinition {
  const indexType = type === '' ? AUTOINDEX : type;
  if (isVectorIndexType(indexType)) {
    throw invalidParameter(`index ${indexType} only supports vector data type`);
  }
  checkScalarIndex(field, indexType, params);
  const steps =
    field.dataType === DataType.JSON ? parseJsonPath(params.get('json_path') ?? askedName, field) : null;
  const path = steps === null ? null : formatJsonPath(steps);
  const described = new Map(params);
  if (steps !== null && !described.has('json_path')) described.set('json_path', askedName);
  return {
    field,
    indexType,
    metricType: null,
    params: [{ key: 'index_type', value: indexType }, ...buildParams(described)],
    jsonPath: path,
    defaultName: `${field.name}${path ?? ''}`,
  };
}

/** An undeclared key is indexed within `$meta`, but only by a request that says so. */
function indexedField(
  schema: CollectionSchema,
  name: string,
  params: ReadonlyMap<string, string>,
): FieldSchema {
  const field = fieldByName(schema, name);
  if (field !== undefined) return field;
  const namesKey = params.has('json_path') || params.has('json_cast_type');
  if (schema.dynamicField !== null && namesKey) return schema.dynamicField;
  throw refused(`cannot create index on non-exist field: ${name}`);
}

function paramsOf(request: CreateIndex): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const { key, value } of request.params) {
    if (DROPPED_PARAMS.includes(key)) continue;
    if (params.has(key)) {
      throw invalidParameter(`duplicated index param (key=${key}) (value=${value}) found`);
    }
    params.set(key, value);
  }
  return params;
}

/** All but type and metric, in the caller's order. */
function buildParams(params: ReadonlyMap<string, string>): readonly KeyValue[] {
  return Array.from(params, ([key, value]) => ({ key, value })).filter(
    ({ key }) => key !== 'index_type' && key !== 'metric_type',
  );
}
