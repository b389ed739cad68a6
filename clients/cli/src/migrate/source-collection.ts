import type { milvus_DescribeCollectionResponse } from '@elanus/proto';
import { CallRefused, type MilvusClient } from './milvus-client.ts';

/** The collection as the source has it. */
export type SourceCollection = milvus_DescribeCollectionResponse;

/** The indexes of the collection at either server; none where it says that there are none. */
export async function indexesOf(client: MilvusClient, { collectionName, dbName }: SourceCollection) {
  try {
    const { indexDescriptions } = await client.call('DescribeIndex', dbName || 'default', { collectionName });
    return indexDescriptions;
  } catch (error) {
    if (error instanceof CallRefused) return [];
    throw error;
  }
}
