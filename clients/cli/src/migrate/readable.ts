import { setTimeout as sleep } from 'node:timers/promises';
import type { schema_FieldSchema } from '@elanus/proto';
import type { MilvusClient } from './milvus-client.ts';
import { indexesOf, type SourceCollection } from './source-collection.ts';

/** `LoadState` of the wire. */
const LOADED = 3;
const LOAD_POLL_MS = 200;
/** Names of indexes that are there only while a collection is read. */
const LENT_PREFIX = 'elanus_migrate_';
const BM25_FUNCTION = 1;

/** Index parameters that every server takes, for each `DataType` of vectors; flat, where vectors of the type can be. */
const LENT_INDEX: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  100: { index_type: 'BIN_FLAT', metric_type: 'HAMMING' },
  101: { index_type: 'FLAT', metric_type: 'L2' },
  102: { index_type: 'FLAT', metric_type: 'L2' },
  103: { index_type: 'FLAT', metric_type: 'L2' },
  104: { index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'IP' },
  105: { index_type: 'HNSW', metric_type: 'L2', params: '{"M":16,"efConstruction":64}' },
};

/** What a run that was killed has left undone: collections that are loaded, but were not. */
export interface LoadedForReading {
  has(place: string): boolean;
  note(place: string, state: 'loaded' | 'released'): Promise<void>;
}

export function isLent({ indexName }: { readonly indexName: string }): boolean {
  return indexName.startsWith(LENT_PREFIX);
}

/**
 * Does `work` while the collection can be read: with an index on each vector field and loaded, as Milvus wants it. Afterwards
 * it is as it was.
 */
export async function whileReadable<Result>(
  client: MilvusClient,
  collection: SourceCollection,
  { loaded, place }: { readonly loaded: LoadedForReading; readonly place: string },
  work: (before: { readonly wasLoaded: boolean }) => Promise<Result>,
): Promise<Result> {
  const { collectionName } = collection;
  const database = collection.dbName || 'default';
  const wasLoaded = (await loadState(client, collection)) === LOADED && !loaded.has(place);
  if (!wasLoaded) await loaded.note(place, 'loaded');
  try {
    if (!wasLoaded) await load(client, collection);
    return await work({ wasLoaded });
  } finally {
    if (!wasLoaded) {
      await client.call('ReleaseCollection', database, { collectionName });
      for (const { fieldName, indexName } of (await indexesOf(client, collection)).filter(isLent))
        await client.call('DropIndex', database, { collectionName, fieldName, indexName });
      await loaded.note(place, 'released');
    }
  }
}

async function loadState(
  client: MilvusClient,
  { collectionName, dbName }: SourceCollection,
): Promise<number> {
  return (await client.call('GetLoadState', dbName || 'default', { collectionName })).state;
}

/** Loads a collection, with an index lent to each vector field that has none, and waits for it. */
export async function load(client: MilvusClient, collection: SourceCollection): Promise<void> {
  const { collectionName, schema } = collection;
  const database = collection.dbName || 'default';
  const indexed = new Set((await indexesOf(client, collection)).map(({ fieldName }) => fieldName));
  for (const field of schema!.fields) {
    const params = lentIndex(field, collection);
    if (params === undefined || indexed.has(field.name)) continue;
    await client.call('CreateIndex', database, {
      collectionName,
      fieldName: field.name,
      indexName: LENT_PREFIX + field.name,
      extraParams: Object.entries(params).map(([key, value]) => ({ key, value })),
    });
  }
  await client.call('LoadCollection', database, { collectionName, replicaNumber: 1 });
  while ((await loadState(client, collection)) !== LOADED) await sleep(LOAD_POLL_MS);
}

function lentIndex({ name, dataType }: schema_FieldSchema, { schema }: SourceCollection) {
  const own = LENT_INDEX[dataType];
  const isOfWords = schema!.functions.some(
    ({ type, outputFieldNames }) => type === BM25_FUNCTION && outputFieldNames.includes(name),
  );
  return isOfWords ? { ...own, metric_type: 'BM25' } : own;
}
