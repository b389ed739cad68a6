import { encode } from '@elanus/proto';
import type { MilvusClient } from './milvus-client.ts';
import type { ProgressFile } from './progress-file.ts';
import { countRows, readRows } from './read-rows.ts';
import { isLent } from './readable.ts';
import { indexesOf, type SourceCollection } from './source-collection.ts';

/** A property: rows bring the keys that the server would make. */
const OWN_KEYS = 'allow_insert_auto_id';

export interface Copy {
  readonly source: MilvusClient;
  readonly target: MilvusClient;
  readonly progress: ProgressFile;
  readonly say: (line: string) => void;
}

/** Makes the collection, its partitions and indexes in the target; what is there already stays. */
export async function copyDefinition({ source, target }: Copy, collection: SourceCollection): Promise<void> {
  const { collectionName, dbName, shardsNum, consistencyLevel, properties, numPartitions } = collection;
  const database = dbName || 'default';
  const schema = collection.schema!;
  const isKeyed = schema.fields.some(({ isPartitionKey }) => isPartitionKey);
  const isThere = await target.call('HasCollection', database, { collectionName });
  if (!isThere.value) {
    await target.call('CreateCollection', database, {
      collectionName,
      schema: encode('schema.CollectionSchema', schema),
      shardsNum,
      consistencyLevel,
      properties,
      ...(isKeyed ? { numPartitions } : {}),
    });
  }
  if (!isKeyed) {
    const { partitionNames } = await source.call('ShowPartitions', database, { collectionName });
    for (const partitionName of partitionNames)
      if (partitionName !== '_default')
        await target.call('CreatePartition', database, { collectionName, partitionName });
  }
  const indexes = (await indexesOf(source, collection)).filter((index) => !isLent(index));
  for (const { fieldName, indexName, params } of indexes)
    await target.call('CreateIndex', database, { collectionName, fieldName, indexName, extraParams: params });
}

/** Copies the rows that the target does not have yet, partition by partition where a client may name them. */
export async function copyRows(copy: Copy, collection: SourceCollection): Promise<void> {
  const { source, target, progress } = copy;
  const { collectionName, dbName } = collection;
  const database = dbName || 'default';
  const isKeyed = collection.schema!.fields.some(({ isPartitionKey }) => isPartitionKey);
  const partitionNames: readonly (string | null)[] = isKeyed
    ? [null]
    : (await source.call('ShowPartitions', database, { collectionName })).partitionNames;
  const placeOf = (partition: string | null) => `${database}/${collectionName}/${partition ?? ''}`;
  const unfinished = partitionNames.filter((partition) => progress.after(placeOf(partition)) !== '');
  if (unfinished.length === 0) return;
  // Keys that the source has made are copied like any others.
  const isLenient = makesKeys(collection) && !allowsOwnKeys(collection);
  if (isLenient)
    await target.call('AlterCollection', database, {
      collectionName,
      properties: [{ key: OWN_KEYS, value: 'true' }],
    });
  for (const partition of unfinished) await copyPartition(copy, collection, partition, placeOf(partition));
  if (isLenient) await target.call('AlterCollection', database, { collectionName, deleteKeys: [OWN_KEYS] });
}

async function copyPartition(
  { source, target, progress, say }: Copy,
  collection: SourceCollection,
  partition: string | null,
  place: string,
): Promise<void> {
  const { collectionName, dbName } = collection;
  const range = { partition, after: progress.after(place) };
  const total = (await countRows(source, collection, range)) ?? '?';
  let rows = 0;
  for await (const page of readRows(source, collection, range)) {
    await target.call('Insert', dbName || 'default', {
      collectionName,
      partitionName: partition ?? '',
      fieldsData: [...page.fieldsData] as never,
      numRows: page.rows,
    });
    await progress.note(place, page.lastKey);
    rows += page.rows;
    say(`${place}: ${rows} of ${total} rows`);
  }
  await progress.note(place, '');
}

function makesKeys({ schema }: SourceCollection): boolean {
  return schema!.autoID || schema!.fields.some(({ autoID }) => autoID);
}

function allowsOwnKeys({ properties }: SourceCollection): boolean {
  return properties.some(({ key, value }) => key === OWN_KEYS && value === 'true');
}
