import type { CollectionInfo, PartitionId } from '@elanus/model';
import type { CatalogChange } from '../catalog/catalog-change.ts';
import type { LoadRecord, LoadScope } from '../catalog/load-record.ts';

/** A collection without a row, and what becomes of its load record. */
export interface EmptiedCollection {
  readonly collection: CollectionInfo;
  readonly load: readonly CatalogChange[];
}

/**
 * The collection with other partitions in the place of its own, which have the same names, the ids from `firstId` on, and no
 * rows: what was loaded stays loaded.
 */
export function emptiedCollection(
  collection: CollectionInfo,
  load: LoadRecord | undefined,
  firstId: PartitionId,
): EmptiedCollection {
  const idByOld = new Map(
    collection.partitions.map(({ id }, at) => [id, (firstId + BigInt(at)) as PartitionId]),
  );
  const partitions = collection.partitions.map((each) => ({ ...each, id: idByOld.get(each.id)! }));
  return {
    collection: { ...collection, partitions },
    load:
      load === undefined
        ? []
        : [{ kind: 'put-load', load: { ...load, scope: renamed(load.scope, idByOld) } }],
  };
}

/** Ids of partitions that are no more are left out. */
function renamed(scope: LoadScope, idByOld: ReadonlyMap<PartitionId, PartitionId>): LoadScope {
  const ids = (old: ReadonlySet<PartitionId>) => new Set([...old].flatMap((id) => idByOld.get(id) ?? []));
  switch (scope.kind) {
    case 'collection':
      return { kind: scope.kind, released: ids(scope.released) };
    case 'partitions':
      return { kind: scope.kind, loaded: ids(scope.loaded) };
  }
}
