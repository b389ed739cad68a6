import type {
  CollectionInfo,
  IndexFileInfo,
  PartitionId,
  PartitionInfo,
  SegmentInfo,
  StoredFile,
} from '@elanus/model';
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

/** Sealed segments, and indexes over them. */
export interface LoadedFiles {
  readonly segments: readonly SegmentInfo[];
  readonly indexFiles: readonly IndexFileInfo[];
}

/** Of the files of a collection those of some partitions: their rows, and every index over any of these. */
export function filesOfPartitions(
  { segments, indexFiles }: LoadedFiles,
  isWanted: (partition: PartitionId) => boolean,
): LoadedFiles {
  const wanted = segments.filter(({ partitionId }) => isWanted(partitionId));
  const ids = new Set(wanted.map(({ id }) => id));
  return {
    segments: wanted,
    indexFiles: indexFiles.filter(({ runs }) => runs.some(({ segmentId }) => ids.has(segmentId))),
  };
}

export function bytesOf(files: readonly { readonly file: StoredFile }[]): number {
  return files.reduce((sum, { file }) => sum + file.bytes, 0);
}
