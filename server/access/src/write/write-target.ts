import {
  type CollectionInfo,
  invalidParameter,
  type PartitionId,
  partitionNotFound,
  schemaMismatch,
} from '@elanus/model';
import { checkPartitionName } from '../definition/names.ts';
import type { AccessLimits } from '../limits.ts';

const DEFAULT_PARTITION = '_default';

/** @throws schemaMismatch when the client's cached schema is another one; 0 asks for no check */
export function checkSchemaTimestamp(collection: CollectionInfo, timestamp: bigint): void {
  if (timestamp !== 0n && timestamp !== collection.updatedTimestamp) throw schemaMismatch(collection.name);
}

/**
 * The partition that a write names; `null` when it names none.
 * @throws partitionNotFound, MilvusError 1100 for names that no partition has or when the partition key decides
 */
export function namedPartition(
  collection: CollectionInfo,
  name: string,
  limits: Pick<AccessLimits, 'nameBytesMax'>,
): PartitionId | null {
  if (name === '') return null;
  if (collection.schema.partitionKey) {
    throw invalidParameter(
      'not support manually specifying the partition names if partition key mode is used',
    );
  }
  checkPartitionName(name, limits);
  return partitionNamed(collection, name);
}

/** Where rows without a named partition go; `null`: where their partition key says. */
export function defaultPartition(collection: CollectionInfo): PartitionId | null {
  return collection.schema.partitionKey ? null : partitionNamed(collection, DEFAULT_PARTITION);
}

function partitionNamed({ partitions }: CollectionInfo, name: string): PartitionId {
  const partition = partitions.find((each) => each.name === name);
  if (partition === undefined) throw partitionNotFound(name);
  return partition.id;
}
