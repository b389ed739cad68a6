import { isObject } from './body.ts';
import type { Json, JsonObject } from './json-reader.ts';

/** One path of the deprecated API: what it asks of v2, and what becomes of its body (or its query string). */
export interface OldPath {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly asks: string;
  readonly bodyOf: (old: JsonObject) => JsonObject;
}

const same = (old: JsonObject): JsonObject => old;

/** RESTful API v1: as v2, but for these names, and `code` 200 where v2 has 0. */
export const OLD_PATHS: readonly OldPath[] = [
  { method: 'get', path: 'collections', asks: 'collections/list', bodyOf: same },
  { method: 'get', path: 'collections/describe', asks: 'collections/describe', bodyOf: same },
  { method: 'post', path: 'collections/create', asks: 'collections/create', bodyOf: createBody },
  { method: 'post', path: 'collections/drop', asks: 'collections/drop', bodyOf: same },
  { method: 'post', path: 'insert', asks: 'entities/insert', bodyOf: same },
  { method: 'post', path: 'upsert', asks: 'entities/upsert', bodyOf: same },
  { method: 'post', path: 'search', asks: 'entities/search', bodyOf: searchBody },
  { method: 'post', path: 'query', asks: 'entities/query', bodyOf: same },
  { method: 'post', path: 'get', asks: 'entities/get', bodyOf: same },
  { method: 'post', path: 'delete', asks: 'entities/delete', bodyOf: same },
];

function createBody(old: JsonObject): JsonObject {
  const { primaryField, vectorField, enableDynamic, ...body } = old;
  return {
    ...body,
    ...named('primaryFieldName', primaryField),
    ...named('vectorFieldName', vectorField),
    ...(enableDynamic === undefined ? {} : { params: { enableDynamicField: enableDynamic } }),
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
