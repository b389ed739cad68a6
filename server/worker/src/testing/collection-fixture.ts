import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  type CollectionSchema,
  ConsistencyLevel,
  type DatabaseId,
  type DuplicateKeyPolicy,
  type PartitionId,
  type Timestamp,
} from '@elanus/model';
import type { TimestampSource } from '@elanus/runtime';

export interface CollectionFixture {
  readonly id?: bigint;
  readonly schema: CollectionSchema;
  readonly shards: number;
  /** Ids follow each other from 1. */
  readonly partitions: number;
  readonly duplicateKey?: DuplicateKeyPolicy;
}

export function collectionFixture(options: CollectionFixture): CollectionInfo {
  const id = (options.id ?? 1000n) as CollectionId;
  return {
    id,
    databaseId: 1n as DatabaseId,
    databaseName: 'default',
    name: `collection_${id}`,
    schema: options.schema,
    channels: Array.from(
      { length: options.shards },
      (_, shard) => `dml_${shard}_${id}v${shard}` as ChannelName,
    ),
    partitions: Array.from({ length: options.partitions }, (_, at) => ({
      id: BigInt(at + 1) as PartitionId,
      name: `p${at + 1}`,
      createdTimestamp: 1n as Timestamp,
    })),
    consistencyLevel: ConsistencyLevel.Bounded,
    properties: [],
    duplicateKey: options.duplicateKey ?? 'replace',
    createdTimestamp: 1n as Timestamp,
    updatedTimestamp: 1n as Timestamp,
  };
}

/** 1000, 2000, 3000 ...: there is room for times between writes. */
export class SteppingTimestamps implements TimestampSource {
  #last = 0n;

  next(): Timestamp {
    this.#last += 1000n;
    return this.#last as Timestamp;
  }
}
