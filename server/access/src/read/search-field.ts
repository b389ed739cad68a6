import {
  type CollectionSchema,
  DataType,
  type FieldSchema,
  fieldByName,
  functionOfOutput,
  type IndexInfo,
  invalidInput,
  isVector,
  METRIC_TYPES,
  type MetricType,
  unexpectedParameter,
} from '@elanus/model';
import type { Parameters } from './parameters.ts';
import { type ReadTarget, requireLoaded } from './read-target.ts';

/** The field of vectors, or of lists of them, that `anns_field` names; without it the only one of vectors there is. */
export function findSearchField(target: ReadTarget, parameters: Parameters): FieldSchema {
  const { schema } = target.collection;
  const name = parameters.text('anns_field');
  const vectors = schema.fields.filter((field) => isVector(field.dataType));
  if (name === undefined && vectors.length > 1) {
    throw invalidInput(
      'multiple anns_fields exist, please specify a anns_field in search_params: invalid parameter',
    );
  }
  const field = name === undefined ? vectors[0] : fieldByName(schema, name);
  if (field === undefined) {
    throw invalidInput(`failed to get field schema by name: fieldName(${name}) not found: invalid parameter`);
  }
  if (!isVector(field.dataType) && field.dataType !== DataType.ArrayOfVector) {
    throw invalidInput(`field (${field.name}) to search is not of vector type: invalid parameter`);
  }
  requireLoaded(target, [field.id]);
  return field;
}

/** The metric of the field's index. @throws MilvusError 1100 when the request names another one */
export function searchMetric(
  index: IndexInfo | undefined,
  field: FieldSchema,
  schema: CollectionSchema,
  parameters: Parameters,
): MetricType {
  const indexed = index?.metricType ?? undefined;
  const asked = parameters.text('metric_type')?.toUpperCase();
  if (asked === undefined) return indexed ?? usualMetric(field, schema);
  const known = METRIC_TYPES.find((metric) => metric === asked);
  if (indexed !== undefined && asked !== indexed) {
    throw unexpectedParameter(indexed, asked, 'metric type not match');
  }
  if (known === undefined)
    throw invalidInput(`metric type ${asked} not found or not supported: invalid parameter`);
  return known;
}

function usualMetric(field: FieldSchema, schema: CollectionSchema): MetricType {
  const made = functionOfOutput(schema, field.id)?.type;
  switch (field.dataType) {
    case DataType.BinaryVector:
      return made === 'MinHash' ? 'MHJACCARD' : 'HAMMING';
    case DataType.SparseFloatVector:
      return made === 'BM25' ? 'BM25' : 'IP';
    case DataType.ArrayOfVector:
      return field.elementType === DataType.BinaryVector ? 'MAX_SIM_HAMMING' : 'MAX_SIM_COSINE';
    default:
      return 'COSINE';
  }
}
