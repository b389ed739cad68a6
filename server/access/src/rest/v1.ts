import { isObject } from './body.ts';
import type { RestAnswer } from './endpoint.ts';
import type { Json, JsonObject } from './json-reader.ts';
import type { JsonOut } from './json-text.ts';
import type { RestCaller } from './rest-caller.ts';
import { missingParameters } from './rest-errors.ts';

/** One path of the deprecated API: what it asks of v2, and what becomes of its body (or its query string). */
export interface OldPath {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly asks: string;
  /** Members that must be there; where several stand together, one of them. */
  readonly requires: readonly (readonly string[])[];
  /** The body as v2 has it; left out: the same. */
  readonly bodyOf?: (old: JsonObject) => JsonObject;
  /** What is looked at first; left out: nothing. */
  readonly before?: (body: JsonObject, caller: RestCaller) => Promise<unknown>;
  /** The data of the answer as it was before v2; left out: the same. */
  readonly dataOf?: (data: JsonOut) => JsonOut;
}

const COLLECTION = ['collectionName'];
const describesIt = (body: JsonObject, caller: RestCaller) => caller.schemaOf(body.collectionName as string);

/** RESTful API v1: as v2, but for these names, `code` 200 where v2 has 0, and nothing beside `data`. */
export const OLD_PATHS: readonly OldPath[] = [
  { method: 'get', path: 'collections', asks: 'collections/list', requires: [] },
  {
    method: 'get',
    path: 'collections/describe',
    asks: 'collections/describe',
    requires: [COLLECTION],
    dataOf: describedAsBefore,
  },
  {
    method: 'post',
    path: 'collections/create',
    asks: 'collections/create',
    requires: [COLLECTION, ['dimension']],
    bodyOf: createBody,
  },
  {
    method: 'post',
    path: 'collections/drop',
    asks: 'collections/drop',
    requires: [COLLECTION],
    before: describesIt,
  },
  { method: 'post', path: 'insert', asks: 'entities/insert', requires: [COLLECTION, ['data']] },
  { method: 'post', path: 'upsert', asks: 'entities/upsert', requires: [COLLECTION, ['data']] },
  {
    method: 'post',
    path: 'search',
    asks: 'entities/search',
    requires: [COLLECTION, ['vector']],
    bodyOf: searchBody,
  },
  { method: 'post', path: 'query', asks: 'entities/query', requires: [COLLECTION, ['filter']] },
  { method: 'post', path: 'get', asks: 'entities/get', requires: [COLLECTION, ['id']] },
  {
    method: 'post',
    path: 'delete',
    asks: 'entities/delete',
    requires: [COLLECTION, ['id', 'filter']],
    dataOf: () => ({}),
  },
];

/** @throws MilvusError 1802 when a member is missing that must be there */
export function newBody({ requires, bodyOf }: OldPath, old: Json): Json {
  if (!isObject(old)) return old;
  const isThere = (name: string) => (old[name] ?? '') !== '';
  if (!requires.every((names) => names.some(isThere)))
    throw missingParameters(`required parameters: [${requires.map((names) => names.join('/')).join(', ')}]`);
  return bodyOf?.(old) ?? old;
}

export function oldAnswer({ dataOf }: OldPath, { data }: RestAnswer): RestAnswer {
  return { data: dataOf === undefined ? data : dataOf(data) };
}

/** Keys are made by the server; who brings them may, as in v2. */
function createBody(old: JsonObject): JsonObject {
  const { primaryField, vectorField, enableDynamic, ...body } = old;
  return {
    ...body,
    ...named('primaryFieldName', primaryField),
    ...named('vectorFieldName', vectorField),
    ...(enableDynamic === undefined ? {} : { params: { enableDynamicField: enableDynamic } }),
    autoID: true,
    properties: { allow_insert_auto_id: 'true' },
  };
}

/** A single vector. */
function searchBody(old: JsonObject): JsonObject {
  const { vector, params, ...body } = old;
  return {
    ...body,
    ...(vector === undefined ? {} : { data: [vector] }),
    ...(params !== undefined && isObject(params) ? { searchParams: { params } } : {}),
  };
}

function named(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

type Shown = Readonly<Record<string, JsonOut>>;

/** Fewer members, and what a type takes in brackets behind it. */
function describedAsBefore(data: JsonOut): JsonOut {
  const { collectionName, description, enableDynamicField, fields, indexes, load, shardsNum } = data as Shown;
  return {
    collectionName,
    description,
    enableDynamicField,
    fields: (fields as readonly Shown[]).map(({ name, type, description, primaryKey, autoId, params }) => ({
      name,
      type: typeWithSize(type as string, (params ?? []) as readonly Shown[]),
      description,
      primaryKey,
      autoId,
    })),
    indexes,
    load,
    shardsNum,
  };
}

function typeWithSize(type: string, params: readonly Shown[]): string {
  const wanted = type === 'VarChar' ? 'max_length' : 'dim';
  const size = params.find(({ key }) => key === wanted)?.value;
  return size === undefined || type === 'Array' ? type : `${type}(${String(size)})`;
}
