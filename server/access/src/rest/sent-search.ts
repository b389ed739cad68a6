import { DataType, invalidParameter } from '@elanus/model';
import {
  type common_SearchAggregationSpec,
  type common_TopHitsSpec,
  type Draft,
  encode,
  type schema_CollectionSchema,
  type schema_FieldSchema,
  type schema_FunctionScore,
} from '@elanus/proto';
import { Body, isObject, optional, required, type Shape } from './body.ts';
import { functionOfBody } from './collection-schema.ts';
import type { Json, JsonObject } from './json-reader.ts';
import { keyValues, textOfJson } from './key-values.ts';
import { incorrectJson } from './rest-errors.ts';
import { sentTemplates } from './sent-templates.ts';
import { vectorBytes } from './sent-vectors.ts';

/** Of a request that says nothing of it. */
export const DEFAULT_LIMIT = 100;
/** `PlaceholderType` of texts. */
const TEXT_PLACEHOLDER = 21;

/** What a search and each leg of a hybrid search take. */
export const LEG = {
  data: optional('array'),
  annsField: optional('string'),
  filter: optional('string'),
  exprParams: optional('object'),
  limit: optional('integer'),
  offset: optional('integer'),
  groupingField: optional('string'),
  metricType: optional('string'),
  params: optional('object'),
};

/** The members of a search request that one leg of a hybrid search has too. */
export function legOf(body: Body, schema: schema_CollectionSchema, params: JsonObject) {
  const field = vectorField(body.text('annsField'), schema);
  const { metric_type: metric, ignore_growing: ignoreGrowing, ...own } = params;
  const orderBy = body.texts('orderByFields');
  const data = body.list('data');
  return {
    dsl: body.text('filter'),
    dslType: 1,
    exprTemplateValues: sentTemplates(body.object('exprParams')),
    nq: BigInt(data.length),
    ...(body.has('data') ? { placeholderGroup: placeholders(field, data) } : {}),
    searchParams: [
      { key: 'anns_field', value: field.name },
      { key: 'topk', value: String(body.number('limit', DEFAULT_LIMIT) || DEFAULT_LIMIT) },
      { key: 'offset', value: String(body.number('offset', 0)) },
      { key: 'params', value: textOfJson(own) },
      { key: 'round_decimal', value: '-1' },
      ...pair('metric_type', metric ?? body.any('metricType')),
      ...pair('ignore_growing', ignoreGrowing ?? null),
      ...groupParams(body),
      ...(orderBy.length === 0 ? [] : [{ key: 'order_by_fields', value: orderBy.join(',') }]),
    ],
  };
}

function pair(key: string, value: Json): { key: string; value: string }[] {
  return value === null || value === '' ? [] : [{ key, value: textOfJson(value) }];
}

export function groupParams(body: Body): { key: string; value: string }[] {
  const field = body.text('groupingField');
  if (field === '') {
    if (body.has('groupSize') || body.has('strictGroupSize'))
      throw invalidParameter('groupSize and strictGroupSize need a groupingField');
    return [];
  }
  return [
    { key: 'group_by_field', value: field },
    ...pair('group_size', body.any('groupSize')),
    ...pair('strict_group_size', body.any('strictGroupSize')),
  ];
}

/** `searchParams`, flat or with its own `params`. @throws MilvusError 1100 when both say different things */
export function searchParams(body: Body): JsonObject {
  const { params = {}, metricType, ignoreGrowing, ...root } = body.object('searchParams');
  if (!isObject(params)) throw incorrectJson('searchParams.params is not an object');
  const all: JsonObject = {
    ...root,
    ...(metricType === undefined ? {} : { metric_type: metricType }),
    ...(ignoreGrowing === undefined ? {} : { ignore_growing: ignoreGrowing }),
  };
  for (const [key, value] of Object.entries(params)) {
    if (key in all && textOfJson(all[key]!) !== textOfJson(value))
      throw invalidParameter(`ambiguous parameter: ${key}`);
    all[key] = value;
  }
  return all;
}

function vectorField(name: string, { fields }: schema_CollectionSchema): schema_FieldSchema {
  const vectors = fields.filter(
    ({ dataType }) => dataType >= DataType.BinaryVector && dataType < DataType.ArrayOfStruct,
  );
  if (name !== '') {
    const field = fields.find((one) => one.name === name);
    if (field === undefined) throw incorrectJson(`cannot find a vector field named: ${name}`);
    return field;
  }
  if (vectors.length !== 1)
    throw incorrectJson('search without annsField, but already found multiple vector fields');
  return vectors[0]!;
}

/** Vectors as `PlaceholderGroup`; texts for a field that a function makes. */
function placeholders(field: schema_FieldSchema, data: readonly Json[]): Uint8Array {
  const isText =
    data.length > 0 && data.every((query) => typeof query === 'string') && field.isFunctionOutput;
  const values = isText
    ? data.map((text) => Buffer.from(text as string))
    : data.map((query) => {
        try {
          return vectorBytes(field, query);
        } catch (error) {
          throw incorrectJson((error as Error).message);
        }
      });
  const type = isText ? TEXT_PLACEHOLDER : field.dataType;
  return encode('common.PlaceholderGroup', { placeholders: [{ tag: '$0', type, values }] });
}

export function functionScore(json: JsonObject): Draft<schema_FunctionScore> {
  const body = new Body(json, { functions: optional('array'), params: optional('object') });
  return { functions: body.list('functions').map(functionOfBody), params: keyValues(body.object('params')) };
}

const AGGREGATION = {
  fields: required('strings'),
  size: optional('int64'),
  searchSize: optional('int64'),
  metrics: optional('object'),
  order: optional('array'),
  topHits: optional('object'),
  subAggregation: optional('object'),
};
const METRIC = { op: required('string'), fieldName: optional('string') };
const ORDER = { key: required('string'), direction: optional('string'), nullFirst: optional('boolean') };
const SORT = { fieldName: required('string'), direction: optional('string'), nullFirst: optional('boolean') };
const TOP_HITS = { size: optional('int64'), sort: optional('array') };

/** `searchAggregation`: one level of buckets, and the levels in it. */
export function searchAggregation(json: Json): Draft<common_SearchAggregationSpec> {
  const body = new Body(json, AGGREGATION);
  const metrics = Object.entries(body.object('metrics')).map(([alias, sent]) => {
    const metric = new Body(sent, METRIC);
    return [alias, { op: metric.text('op'), fieldName: metric.text('fieldName') }] as const;
  });
  const order = body.list('order').map((sent) => {
    const { direction, nullFirst } = directionOf(sent, ORDER);
    return { key: new Body(sent, ORDER).text('key'), direction, nullFirst };
  });
  return {
    fields: body.texts('fields'),
    size: body.int64('size'),
    searchSize: body.int64('searchSize'),
    metrics: new Map(metrics),
    order,
    ...(body.has('topHits') ? { topHits: topHits(body.any('topHits')) } : {}),
    ...(body.has('subAggregation') ? { subAggregation: searchAggregation(body.any('subAggregation')) } : {}),
  };
}

function topHits(json: Json): Draft<common_TopHitsSpec> {
  const body = new Body(json, TOP_HITS);
  const sort = body.list('sort').map((sent) => {
    const { direction, nullFirst } = directionOf(sent, SORT);
    return { fieldName: new Body(sent, SORT).text('fieldName'), direction, nullFirst };
  });
  return { size: body.int64('size'), sort };
}

function directionOf(json: Json, shape: Shape): { direction: string; nullFirst: boolean } {
  const body = new Body(json, shape);
  return { direction: body.text('direction'), nullFirst: body.flag('nullFirst') };
}
