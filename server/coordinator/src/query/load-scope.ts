import type { CollectionInfo, PartitionId, PartitionInfo } from '@elanus/model';
import type { LoadRecord, LoadScope } from '../catalog/load-record.ts';

export function isPartitionLoaded(load: LoadRecord, partition: PartitionId): boolean {
  switch (load.scope.kind) {
    case 'collection':
      return !load.scope.released.has(partition);
    case 'partitions':
      return load.scope.loaded.has(partition);
  }
}

/** In creation order. */
export function loadedPartitions(load: LoadRecord, collection: CollectionInfo): readonly PartitionInfo[] {
  return collection.partitions.filter(({ id }) => isPartitionLoaded(load, id));
}

/** The scope with `partitions` loaded too. A collection that was loaded whole stays so. */
export function scopeWith(scope: LoadScope | null, partitions: readonly PartitionInfo[]): LoadScope {
  const ids = new Set(partitions.map(({ id }) => id));
  if (scope?.kind === 'collection') return { kind: 'collection', released: scope.released.difference(ids) };
  return { kind: 'partitions', loaded: (scope?.loaded ?? new Set<PartitionId>()).union(ids) };
}

/** The scope without `partitions`. */
export function scopeWithout(scope: LoadScope, partitions: readonly PartitionInfo[]): LoadScope {
  const ids = new Set(partitions.map(({ id }) => id));
  if (scope.kind === 'collection') return { kind: 'collection', released: scope.released.union(ids) };
  return { kind: 'partitions', loaded: scope.loaded.difference(ids) };
}
