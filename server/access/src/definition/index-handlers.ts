import { invalidParameter, MilvusError, type Timestamp } from '@elanus/model';
import type { Draft, milvus_IndexDescription } from '@elanus/proto';
import type { CollectionRef, IndexDescription, PropertyChange } from '@elanus/rpc';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { collectionRef } from './collection-ref.ts';
import { flattenIndexParams, propertyChange } from './key-values.ts';
import { checkIndexName } from './names.ts';

/** `IndexState` on the wire. */
const INDEX_STATE = { 'in-progress': 2, finished: 3, failed: 4 } as const;

/** What of an index can be altered, and whether it is a switch. */
const ALTERABLE: ReadonlyMap<string, 'switch' | 'word'> = new Map([
  ['mmap.enabled', 'switch'],
  ['indexoffsetcache.enabled', 'switch'],
  ['warmup', 'word'],
]);

/** Create, describe, count, alter and drop indexes. */
export function indexHandlers({ index, limits }: AccessDependencies): Handlers {
  const refOf = (database: string, collection: string) => collectionRef(database, collection, limits);

  const describeAll = async (ref: CollectionRef, indexName: string, at?: bigint) => {
    const descriptions = await index.describeIndexes(ref, indexName, at as Timestamp | undefined);
    return { indexDescriptions: descriptions.map(describeIndex) };
  };

  return {
    async CreateIndex(request, context) {
      const ref = refOf(context.database, request.collectionName);
      checkIndexName(request.indexName, limits);
      await index.createIndex(ref, {
        fieldName: request.fieldName,
        indexName: request.indexName,
        params: flattenIndexParams(request.extraParams),
      });
      return {};
    },

    async DescribeIndex(request, context) {
      const ref = refOf(context.database, request.collectionName);
      return await describeAll(ref, request.indexName, request.timestamp);
    },

    async GetIndexStatistics(request, context) {
      return await describeAll(refOf(context.database, request.collectionName), request.indexName);
    },

    async GetIndexState(request, context) {
      const ref = refOf(context.database, request.collectionName);
      const description = onlyIndex(await index.describeIndexes(ref, request.indexName), request.indexName);
      return { state: INDEX_STATE[description.state], failReason: description.failReason };
    },

    async GetIndexBuildProgress(request, context) {
      const ref = refOf(context.database, request.collectionName);
      const description = onlyIndex(await index.describeIndexes(ref, request.indexName), request.indexName);
      return { indexedRows: description.indexedRows, totalRows: description.totalRows };
    },

    async AlterIndex(request, context) {
      const ref = refOf(context.database, request.collectionName);
      if (request.indexName === '') throw invalidParameter('index name is empty');
      const change = propertyChange(request.extraParams, request.deleteKeys, 'index');
      checkStorageParams(change);
      await index.alterIndex(ref, request.indexName, change);
      return {};
    },

    async DropIndex(request, context) {
      await index.dropIndex(refOf(context.database, request.collectionName), request.indexName);
      return {};
    },
  };
}

/** @throws MilvusError 1100 for what is not about how an index is kept */
function checkStorageParams({ set, remove }: PropertyChange): void {
  for (const key of [...set.map((pair) => pair.key), ...remove])
    if (!ALTERABLE.has(key)) throw invalidParameter(`${key} is not a configable index property`);
  for (const { key, value } of set)
    if (ALTERABLE.get(key) === 'switch' && !/^(true|false)$/i.test(value))
      throw invalidParameter(`invalid ${key} value: ${value}, expected: true, false`);
}

/** @throws MilvusError 702 when the name was left out and there are several */
function onlyIndex(descriptions: readonly IndexDescription[], indexName: string): IndexDescription {
  const [first, second] = descriptions;
  if (first === undefined || second !== undefined) {
    throw new MilvusError(`index duplicates[indexName=${indexName}]`, { code: 702, inputError: true });
  }
  return first;
}

function describeIndex(description: IndexDescription): Draft<milvus_IndexDescription> {
  return {
    indexName: description.index.name,
    indexID: description.index.id,
    fieldName: description.fieldName,
    params: description.index.params,
    indexedRows: description.indexedRows,
    totalRows: description.totalRows,
    pendingIndexRows: description.pendingRows,
    state: INDEX_STATE[description.state],
    indexStateFailReason: description.failReason,
  };
}
