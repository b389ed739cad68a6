import { setTimeout as sleep } from 'node:timers/promises';
import { encode, type milvus_DescribeCollectionResponse } from '@elanus/proto';
import { CallRefused, type MilvusClient } from './milvus-client.ts';
import type { ProgressFile } from './progress-file.ts';
import { readRows } from './read-rows.ts';

/** `LoadState` of the wire. */
const LOADED = 3;
const LOAD_POLL_MS = 200;

export interface Copy {
  readonly source: MilvusClient;
  readonly target: MilvusClient;
  readonly progress: ProgressFile;
  readonly say: (line: string) => void;
}

/** The collection as the source has it. */
export type SourceCollection = milvus_DescribeCollectionResponse;

/** Makes the collection, its partitions and indexes in the target; what is there already stays. */
export async function copyDefinition({ source, target }: Copy, collection: SourceCollection): Promise<void> {
  const { collectionName, dbName, shardsNum, consistencyLevel, properties, numPartitions } = collection;
  const database = dbName || 'default';
  const schema = collection.schema!;
  const hasOwnKeys = schema.autoID || schema.fields.some(({ autoID }) => autoID);
  const isKeyed = schema.fields.some(({ isPartitionKey }) => isPartitionKey);
  const isThere = await target.call('HasCollection', database, { collectionName });
  if (!isThere.value) {
    await target.call('CreateCollection', database, {
      collectionName,
      schema: encode('schema.CollectionSchema', schema),
      shardsNum,
      consistencyLevel,
      // Keys that the source has made are copied like any others.
      properties: hasOwnKeys ? [...properties, { key: 'allow_insert_auto_id', value: 'true' }] : properties,
      ...(isKeyed ? { numPartitions } : {}),
    });
  }
  if (!isKeyed) {
    const { partitionNames } = await source.call('ShowPartitions', database, { collectionName });
    for (const partitionName of partitionNames)
      if (partitionName !== '_default')
        await target.call('CreatePartition', database, { collectionName, partitionName });
  }
  for (const { fieldName, indexName, params } of await indexesOf(source, collection))
    await target.call('CreateIndex', database, { collectionName, fieldName, indexName, extraParams: params });
}

export async function indexesOf(client: MilvusClient, { collectionName, dbName }: SourceCollection) {
  try {
    const { indexDescriptions } = await client.call('DescribeIndex', dbName || 'default', { collectionName });
    return indexDescriptions;
  } catch (error) {
    if (error instanceof CallRefused) return [];
    throw error;
  }
}

/** Loads a collection and waits for it; whether it was loaded before. */
export async function load(
  client: MilvusClient,
  { collectionName, dbName }: SourceCollection,
): Promise<boolean> {
  const database = dbName || 'default';
  const state = async () => (await client.call('GetLoadState', database, { collectionName })).state;
  if ((await state()) === LOADED) return true;
  await client.call('LoadCollection', database, { collectionName, replicaNumber: 1 });
  while ((await state()) !== LOADED) await sleep(LOAD_POLL_MS);
  return false;
}

/** Copies the rows that the target does not have yet, partition by partition where a client may name them. */
export async function copyRows(copy: Copy, collection: SourceCollection): Promise<void> {
  const { source, target, progress, say } = copy;
  const { collectionName, dbName } = collection;
  const database = dbName || 'default';
  const isKeyed = collection.schema!.fields.some(({ isPartitionKey }) => isPartitionKey);
  const { partitionNames } = isKeyed
    ? { partitionNames: [null] }
    : await source.call('ShowPartitions', database, { collectionName });
  for (const partition of partitionNames) {
    const place = `${database}/${collectionName}/${partition ?? ''}`;
    const after = progress.after(place);
    if (after === '') continue;
    let rows = 0;
    for await (const page of readRows(source, collection, { partition, after })) {
      await target.call('Insert', database, {
        collectionName,
        partitionName: partition ?? '',
        fieldsData: [...page.fieldsData] as never,
        numRows: page.rows,
      });
      await progress.note(place, page.lastKey);
      rows += page.rows;
      say(`${place}: ${rows} rows`);
    }
    await progress.note(place, '');
  }
}
