import {
  type CollectionId,
  type CollectionInfo,
  type PartitionInfo,
  partitionNotFound,
  partitionNotLoaded,
  physicalMs,
  refused,
} from '@elanus/model';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { SHOW_IN_MEMORY } from './collection-handlers.ts';
import { collectionRef, ownRef } from './collection-ref.ts';
import { checkPartitionName } from './names.ts';

/** Create, drop, has, show and count partitions. */
export function partitionHandlers({ root, query, data, limits }: AccessDependencies): Handlers {
  const refOf = (database: string, collection: string) => collectionRef(database, collection, limits);

  return {
    async CreatePartition(request, context) {
      const ref = refOf(context.database, request.collectionName);
      checkPartitionName(request.partitionName, limits);
      const collection = await root.describeCollection(ref);
      refuseHiddenPartitions(collection, 'create partition');
      await root.createPartition(ownRef(collection), request.partitionName);
      return {};
    },

    async DropPartition(request, context) {
      const ref = refOf(context.database, request.collectionName);
      checkPartitionName(request.partitionName, limits);
      const collection = await root.describeCollection(ref);
      refuseHiddenPartitions(collection, 'drop partition');
      await root.dropPartition(ownRef(collection), request.partitionName);
      return {};
    },

    async HasPartition(request, context) {
      const ref = refOf(context.database, request.collectionName);
      checkPartitionName(request.partitionName, limits);
      const { partitions } = await root.describeCollection(ref);
      return { value: partitions.some(({ name }) => name === request.partitionName) };
    },

    async ShowPartitions(request, context) {
      const collection =
        request.collectionName === '' && request.collectionID !== 0n
          ? await root.describeCollectionById(request.collectionID as CollectionId)
          : await root.describeCollection(refOf(context.database, request.collectionName));
      if (request.type !== SHOW_IN_MEMORY) return showPartitions(collection.partitions);

      const load = await query.loadInfo(collection.id);
      const isLoaded = ({ id }: PartitionInfo) =>
        load !== undefined && (load.partitions === 'all' || load.partitions.has(id));
      const named = namedPartitions(collection, request.partitionNames);
      const released = named.find((partition) => !isLoaded(partition));
      if (released !== undefined) throw partitionNotLoaded(released.name);
      const loaded = named.length > 0 ? named : collection.partitions.filter(isLoaded);
      return { ...showPartitions(loaded), inMemoryPercentages: loaded.map(() => 100n) };
    },

    async GetPartitionStatistics(request, context) {
      const ref = refOf(context.database, request.collectionName);
      checkPartitionName(request.partitionName, limits);
      const rows = await data.countRows(ref, request.partitionName);
      return { stats: [{ key: 'row_count', value: String(rows) }] };
    },
  };
}

/**
 * Partitions of a partition key are the server's own.
 * @throws MilvusError 65535 `disable <action> if partition key mode is used`
 */
export function refuseHiddenPartitions({ schema }: CollectionInfo, action: string): void {
  if (schema.partitionKey !== null) throw refused(`disable ${action} if partition key mode is used`);
}

/** @throws partitionNotFound */
function namedPartitions(collection: CollectionInfo, names: readonly string[]): readonly PartitionInfo[] {
  return [...new Set(names)].map((wanted) => {
    const partition = collection.partitions.find(({ name }) => name === wanted);
    if (partition === undefined) throw partitionNotFound(wanted);
    return partition;
  });
}

function showPartitions(partitions: readonly PartitionInfo[]) {
  return {
    partitionNames: partitions.map(({ name }) => name),
    partitionIDs: partitions.map(({ id }) => id),
    createdTimestamps: partitions.map(({ createdTimestamp }) => createdTimestamp),
    createdUtcTimestamps: partitions.map(({ createdTimestamp }) => BigInt(physicalMs(createdTimestamp))),
  };
}
