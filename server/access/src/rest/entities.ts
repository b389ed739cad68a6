import { DataType, invalidParameter } from '@elanus/model';
import {
  type common_Status,
  decode,
  type milvus_SearchResults,
  type schema_CollectionSchema,
  type schema_FieldSchema,
} from '@elanus/proto';
import { EXPLAIN_INFO } from '../wire/with-info.ts';
import { Body, isInt64, isObject, optional, required } from './body.ts';
import { COLLECTION } from './collection-shape.ts';
import { consistencyLevel } from './collections.ts';
import { type Endpoints, endpoint, type RestAnswer } from './endpoint.ts';
import { type Json, readJson } from './json-reader.ts';
import { shortestDouble } from './json-text.ts';
import { textOfJson } from './key-values.ts';
import type { RestCaller } from './rest-caller.ts';
import { badKey, incorrectJson, missingParameters } from './rest-errors.ts';
import { sentChain } from './sent-chains.ts';
import { sentFields } from './sent-fields.ts';
import {
  DEFAULT_LIMIT,
  functionScore,
  groupParams,
  LEG,
  legOf,
  searchAggregation,
  searchParams,
} from './sent-search.ts';
import { sentTemplates } from './sent-templates.ts';
import { shownBuckets } from './shown-buckets.ts';
import { decodedColumns, shownIds, shownRows } from './shown-rows.ts';

const READ = {
  ...COLLECTION,
  outputFields: optional('strings'),
  partitionNames: optional('strings'),
  consistencyLevel: optional('string'),
};
const COUNT = 'count(*)';
const FIELD_OPS = ['REPLACE', 'ARRAY_APPEND', 'ARRAY_REMOVE'];
/** `distance` stands beside the fields of a hit. */
const DISTANCE = 'distance';

export const entities: Endpoints = {
  'entities/insert': endpoint(
    { ...COLLECTION, data: required('any'), partitionName: optional('string') },
    insert,
  ),
  'entities/upsert': endpoint(
    {
      ...COLLECTION,
      data: required('any'),
      partitionName: optional('string'),
      partialUpdate: optional('boolean'),
      fieldOps: optional('array'),
    },
    upsert,
  ),
  'entities/delete': endpoint(
    {
      ...COLLECTION,
      filter: optional('string'),
      id: optional('any'),
      partitionName: optional('string'),
      exprParams: optional('object'),
    },
    remove,
  ),
  'entities/get': endpoint({ ...READ, id: required('any'), partitionName: optional('string') }, get),
  'entities/query': endpoint(
    {
      ...READ,
      filter: optional('string'),
      limit: optional('integer'),
      offset: optional('integer'),
      exprParams: optional('object'),
      orderByFields: optional('strings'),
      explain: optional('any'),
    },
    query,
  ),
  'entities/search': endpoint(
    {
      ...READ,
      ...LEG,
      ids: optional('array'),
      groupSize: optional('integer'),
      strictGroupSize: optional('boolean'),
      searchParams: optional('object'),
      functionScore: optional('object'),
      functionChains: optional('array'),
      searchAggregation: optional('object'),
      orderByFields: optional('strings'),
    },
    search,
  ),
  ...Object.fromEntries(
    ['entities/hybrid_search', 'entities/advanced_search'].map((path) => [
      path,
      endpoint(
        {
          ...READ,
          search: required('array'),
          rerank: optional('object'),
          functionScore: optional('object'),
          limit: optional('integer'),
          offset: optional('integer'),
          groupingField: optional('string'),
          groupSize: optional('integer'),
          strictGroupSize: optional('boolean'),
        },
        hybridSearch,
      ),
    ]),
  ),
};

/** One row or several. */
function rowsOf(body: Body): readonly Json[] {
  const data = body.any('data');
  if (isObject(data)) return [data];
  if (!Array.isArray(data)) throw incorrectJson('data is neither a row nor an array of rows');
  return data;
}

async function insert(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const collectionName = body.text('collectionName');
  const schema = await caller.schemaOf(collectionName);
  const fields = await caller.run(sentFields(rowsOf(body), schema, { isPartial: false }));
  const request = { collectionName, partitionName: body.text('partitionName'), ...fields };
  const { IDs, insertCnt } = await caller.ask('Insert', request);
  return { cost: 0, data: { insertCount: Number(insertCnt), insertIds: shownIds(IDs) } };
}

async function upsert(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const collectionName = body.text('collectionName');
  const partialUpdate = body.flag('partialUpdate');
  const schema = await caller.schemaOf(collectionName);
  const fields = await caller.run(sentFields(rowsOf(body), schema, { isPartial: partialUpdate }));
  const { IDs, upsertCnt } = await caller.ask('Upsert', {
    collectionName,
    partitionName: body.text('partitionName'),
    partialUpdate,
    fieldOps: body.list('fieldOps').map(fieldOp),
    ...fields,
  });
  return { cost: 0, data: { upsertCount: Number(upsertCnt), upsertIds: shownIds(IDs) } };
}

function fieldOp(json: Json): { fieldName: string; op: number } {
  const body = new Body(json, { fieldName: required('string'), op: required('string') });
  const op = FIELD_OPS.indexOf(body.text('op'));
  if (op < 0) throw invalidParameter(`unknown op ${body.text('op')} of the field ${body.text('fieldName')}`);
  return { fieldName: body.text('fieldName'), op };
}

async function remove(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const collectionName = body.text('collectionName');
  let expr = body.text('filter');
  if (expr === '' && body.has('id')) {
    const { fields } = await caller.schemaOf(collectionName);
    expr = keysFilter(fields, body.any('id'));
  }
  if (expr === '') throw missingParameters('the member filter is required');
  const { deleteCnt } = await caller.ask('Delete', {
    collectionName,
    partitionName: body.text('partitionName'),
    expr,
    exprTemplateValues: sentTemplates(body.object('exprParams')),
  });
  return { cost: 0, data: { deleteCount: Number(deleteCnt) } };
}

/** `pk in [...]` of a key or an array of keys; int64 keys also as decimal text. */
function keysFilter(fields: readonly schema_FieldSchema[], id: Json): string {
  const key = fields.find(({ isPrimaryKey }) => isPrimaryKey)!;
  const ids = (Array.isArray(id) ? id : [id]).map((value) => {
    if (key.dataType === DataType.Int64) {
      if (!isInt64(value)) throw badKey(`${textOfJson(value).slice(0, 64)} is no int64`);
      return String(BigInt(value));
    }
    if (typeof value !== 'string') throw badKey(`${textOfJson(value).slice(0, 64)} is no text`);
    return JSON.stringify(value);
  });
  return `${key.name} in [${ids.join(',')}]`;
}

/** What every read has, with the level that was asked for, else the collection's. */
function readOf(body: Body) {
  const isGiven = body.has('consistencyLevel');
  return {
    collectionName: body.text('collectionName'),
    partitionNames: body.texts('partitionNames'),
    useDefaultConsistency: !isGiven,
    ...(isGiven ? { consistencyLevel: consistencyLevel(body.text('consistencyLevel')) } : {}),
  };
}

async function get(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const { fields } = await caller.schemaOf(body.text('collectionName'));
  const single = body.text('partitionName');
  return await answerQuery(body, caller, {
    expr: keysFilter(fields, body.any('id')),
    ...(single === '' ? {} : { partitionNames: [single] }),
    queryParams: [],
  });
}

async function query(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const outputFields = body.texts('outputFields');
  const isCount = outputFields.length === 1 && outputFields[0] === COUNT;
  const orderBy = body.texts('orderByFields');
  const explain = body.has('explain') ? [{ key: 'explain', value: textOfJson(body.any('explain')) }] : [];
  const queryParams = isCount
    ? explain
    : [
        ...explain,
        { key: 'limit', value: String(body.number('limit', DEFAULT_LIMIT)) },
        { key: 'offset', value: String(body.number('offset', 0)) },
        ...(orderBy.length === 0 ? [] : [{ key: 'order_by_fields', value: orderBy.join(',') }]),
      ];
  return await answerQuery(body, caller, {
    expr: body.text('filter'),
    exprTemplateValues: sentTemplates(body.object('exprParams')),
    queryParams,
  });
}

async function answerQuery(body: Body, caller: RestCaller, request: object): Promise<RestAnswer> {
  const asked = body.texts('outputFields');
  const outputFields = asked.length === 0 ? ['*'] : asked;
  const { fieldsData, status } = await caller.ask('Query', { ...readOf(body), ...request, outputFields });
  const columns = decodedColumns(fieldsData);
  const data = await caller.run(shownRows(columns, rowsIn(columns), outputFields));
  return { cost: 0, data, ...(await explainOf(status, caller)) };
}

/** The first column tells; every column has as many. */
function rowsIn(columns: ReturnType<typeof decodedColumns>): number {
  for (const { scalars, validData } of columns) {
    if (validData.length > 0) return validData.length;
    const list = Object.values(scalars ?? {}).find((member) => member !== undefined) as
      | { readonly data?: readonly unknown[] }
      | undefined;
    if (list?.data !== undefined) return list.data.length;
  }
  return 0;
}

async function search(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const schema = await caller.schemaOf(body.text('collectionName'));
  if (body.has('ids') && body.has('data')) throw invalidParameter('data and ids exclude one another');
  if (!body.has('ids') && !body.has('data')) throw missingParameters('either data or ids is required');
  const leg = legOf(body, schema, searchParams(body));
  const answer = await caller.ask('Search', {
    ...readOf(body),
    ...leg,
    ...(body.has('ids') ? { ids: idsOf(body.list('ids'), schema), searchByPrimaryKeys: true } : {}),
    outputFields: body.texts('outputFields'),
    ...(body.has('functionScore') ? { functionScore: functionScore(body.object('functionScore')) } : {}),
    functionChains: body.list('functionChains').map(sentChain),
    ...(body.has('searchAggregation')
      ? { searchAggregation: searchAggregation(body.any('searchAggregation')) }
      : {}),
  });
  return await answerHits(answer, body.texts('outputFields'), caller);
}

async function hybridSearch(body: Body, caller: RestCaller): Promise<RestAnswer> {
  const schema = await caller.schemaOf(body.text('collectionName'));
  const requests = body.list('search').map((json) => {
    const leg = new Body(json, { ...LEG, data: required('array') });
    return legOf(leg, schema, leg.object('params'));
  });
  const rerank = new Body(body.object('rerank'), {
    strategy: optional('string'),
    params: optional('object'),
  });
  const answer = await caller.ask('HybridSearch', {
    ...readOf(body),
    requests,
    rankParams: [
      ...(rerank.has('strategy') ? [{ key: 'strategy', value: rerank.text('strategy') }] : []),
      { key: 'params', value: textOfJson(rerank.object('params')) },
      { key: 'limit', value: String(body.number('limit', DEFAULT_LIMIT)) },
      { key: 'offset', value: String(body.number('offset', 0)) },
      { key: 'round_decimal', value: '-1' },
      ...groupParams(body),
    ],
    outputFields: body.texts('outputFields'),
    ...(body.has('functionScore') ? { functionScore: functionScore(body.object('functionScore')) } : {}),
  });
  return await answerHits(answer, body.texts('outputFields'), caller);
}

function idsOf(ids: readonly Json[], { fields }: schema_CollectionSchema) {
  const key = fields.find(({ isPrimaryKey }) => isPrimaryKey)!;
  if (key.dataType !== DataType.Int64) return { strId: { data: ids.map(textOfJson) } };
  const data = ids.map((id) => {
    if (!isInt64(id)) throw badKey(`${textOfJson(id).slice(0, 64)} is no int64`);
    return BigInt(id);
  });
  return { intId: { data } };
}

/** The hits of all queries, one after the other; `topks` says how many each has. */
async function answerHits(
  { results, status }: milvus_SearchResults,
  outputFields: readonly string[],
  caller: RestCaller,
): Promise<RestAnswer> {
  const found = decode('schema.SearchResultData', results ?? new Uint8Array(0));
  const explain = await explainOf(status, caller);
  if (found.aggTopks.length > 0) return { cost: 0, ...shownBuckets(found), ...explain };
  const ids = shownIds(found.ids);
  if (ids.length === 0) return { cost: 0, data: [], ...explain };
  const rows = await caller.run(shownRows(found.fieldsData, ids.length, outputFields));
  for (const [at, row] of rows.entries()) {
    row[found.primaryFieldName] = ids[at];
    row[DISTANCE] = shortestDouble(found.scores[at]!);
  }
  return {
    cost: 0,
    data: rows,
    topks: found.topks.map(Number),
    ...(found.recalls.length > 0 ? { recalls: found.recalls.map(shortestDouble) } : {}),
    ...explain,
  };
}

/** What a read that was to be explained tells of itself. */
async function explainOf(
  status: common_Status | undefined,
  caller: RestCaller,
): Promise<{ readonly explain?: Json }> {
  const text = status?.extraInfo.get(EXPLAIN_INFO);
  return text === undefined ? {} : { explain: await caller.run(readJson(Buffer.from(text))) };
}
