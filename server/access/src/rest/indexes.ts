import type { KeyValue } from '@elanus/model';
import { Body, optional, required } from './body.ts';
import { COLLECTION } from './collection-shape.ts';
import { DONE, type Endpoints, endpoint } from './endpoint.ts';
import type { Json, JsonObject } from './json-reader.ts';
import { keyValues, shownPairs, textOfJson } from './key-values.ts';
import type { RestCaller } from './rest-caller.ts';
import { missingParameters } from './rest-errors.ts';

const INDEX = { ...COLLECTION, indexName: required('string') };
const INDEX_PARAM = {
  fieldName: required('string'),
  indexName: optional('string'),
  metricType: optional('string'),
  indexType: optional('string'),
  params: optional('object'),
};
const INDEX_STATES = ['IndexStateNone', 'Unissued', 'InProgress', 'Finished', 'Failed', 'Retry'];
/** The text of an error for a collection without an index. */
const INDEX_NOT_FOUND = 700;

export const indexes: Endpoints = {
  'indexes/list': endpoint(COLLECTION, async (body, caller) => {
    try {
      const { indexDescriptions } = await caller.ask('DescribeIndex', {
        collectionName: body.text('collectionName'),
      });
      return { data: indexDescriptions.map(({ indexName }) => indexName) };
    } catch (error) {
      if ((error as { code?: unknown }).code === INDEX_NOT_FOUND) return { data: [] };
      throw error;
    }
  }),
  'indexes/describe': endpoint(INDEX, async (body, caller) => {
    const { indexDescriptions } = await caller.ask('DescribeIndex', {
      collectionName: body.text('collectionName'),
      indexName: body.text('indexName'),
    });
    return {
      data: indexDescriptions.map((index) => {
        const param = (name: string) => index.params.find(({ key }) => key === name)?.value ?? '';
        return {
          failReason: index.indexStateFailReason,
          fieldName: index.fieldName,
          indexName: index.indexName,
          indexParams: shownPairs(index.params),
          indexState: INDEX_STATES[index.state] ?? '',
          indexType: param('index_type'),
          indexedRows: Number(index.indexedRows),
          maxIndexVersion: index.maxIndexVersion,
          metricType: param('metric_type'),
          minIndexVersion: index.minIndexVersion,
          pendingRows: Number(index.pendingIndexRows),
          totalRows: Number(index.totalRows),
        };
      }),
    };
  }),
  'indexes/create': endpoint({ ...COLLECTION, indexParams: required('array') }, async (body, caller) => {
    await createIndexes(body.text('collectionName'), body.list('indexParams'), caller);
    return DONE;
  }),
  'indexes/drop': endpoint(INDEX, async (body, caller) => {
    await caller.ask('DropIndex', {
      collectionName: body.text('collectionName'),
      indexName: body.text('indexName'),
    });
    return DONE;
  }),
  'indexes/alter_properties': endpoint({ ...INDEX, properties: optional('object') }, async (body, caller) => {
    await caller.ask('AlterIndex', {
      collectionName: body.text('collectionName'),
      indexName: body.text('indexName'),
      extraParams: keyValues(body.object('properties')),
    });
    return DONE;
  }),
  'indexes/drop_properties': endpoint(
    { ...INDEX, propertyKeys: optional('strings') },
    async (body, caller) => {
      await caller.ask('AlterIndex', {
        collectionName: body.text('collectionName'),
        indexName: body.text('indexName'),
        deleteKeys: body.texts('propertyKeys'),
      });
      return DONE;
    },
  ),
};

/** One index after the other; the first that fails ends it, those before stay. */
export async function createIndexes(
  collectionName: string,
  indexParams: readonly Json[],
  caller: RestCaller,
): Promise<void> {
  const { fields, structArrayFields } = await caller.schemaOf(collectionName);
  const subFields = structArrayFields.flatMap((struct) =>
    struct.fields.map(({ name }) => `${struct.name}[${name}]`),
  );
  const names = new Set([...fields.map(({ name }) => name), ...subFields]);
  for (const json of indexParams) {
    const { fieldName, indexName, extraParams } = readIndex(json);
    if (!names.has(fieldName))
      throw missingParameters(`the field ${fieldName} of indexParams is none of the collection`);
    await caller.ask('CreateIndex', {
      collectionName,
      fieldName,
      // The name of a sub-field is none that an index can have: the call behind makes one.
      indexName: indexName || (subFields.includes(fieldName) ? '' : fieldName),
      extraParams,
    });
  }
}

/** An index as REST asks for it, in the words of gRPC. @throws MilvusError 1801, 1802 */
export function readIndex(json: Json): {
  readonly fieldName: string;
  /** Empty: none was given. */
  readonly indexName: string;
  readonly extraParams: readonly KeyValue[];
} {
  const index = new Body(json, INDEX_PARAM);
  const { index_type: typeInParams, ...params } = index.object('params') as JsonObject & {
    index_type?: Json;
  };
  const type = index.has('indexType')
    ? index.text('indexType')
    : typeInParams === undefined
      ? 'AUTOINDEX'
      : textOfJson(typeInParams);
  const metric = index.text('metricType');
  return {
    fieldName: index.text('fieldName'),
    indexName: index.text('indexName'),
    extraParams: [
      { key: 'index_type', value: type },
      ...(metric === '' ? [] : [{ key: 'metric_type', value: metric }]),
      { key: 'params', value: textOfJson(params) },
    ],
  };
}
