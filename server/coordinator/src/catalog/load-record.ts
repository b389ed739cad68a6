import type { CollectionId, FieldId, PartitionId } from '@elanus/model';
import { decodeRecord, encodeRecord, RecordDamage, type StoredObject } from './record.ts';

/**
 * Which partitions are loaded. A collection that was loaded whole names the exceptions, so that a
 * partition made later is loaded without a second record having to change.
 */
export type LoadScope =
  | { readonly kind: 'collection'; readonly released: ReadonlySet<PartitionId> }
  | { readonly kind: 'partitions'; readonly loaded: ReadonlySet<PartitionId> };

/** Exists exactly as long as anything of the collection is loaded. */
export interface LoadRecord {
  readonly collectionId: CollectionId;
  readonly scope: LoadScope;
  readonly fields: 'all' | ReadonlySet<FieldId>;
  readonly replicaNumber: number;
}

export function encodeLoad(load: LoadRecord): Uint8Array {
  return encodeRecord({
    collectionId: String(load.collectionId),
    scope: scopeToJson(load.scope),
    fields: load.fields === 'all' ? null : [...load.fields],
    replicaNumber: load.replicaNumber,
  });
}

/** @throws RecordDamage, RecordTooNew */
export function decodeLoad(bytes: Uint8Array): LoadRecord {
  const record = decodeRecord(bytes);
  return {
    collectionId: record.int64('collectionId') as CollectionId,
    scope: scopeFromJson(record.object('scope')),
    fields: record.has('fields') ? new Set(record.integers('fields') as FieldId[]) : 'all',
    replicaNumber: record.integer('replicaNumber'),
  };
}

function scopeToJson(scope: LoadScope): object {
  switch (scope.kind) {
    case 'collection':
      return { kind: scope.kind, released: Array.from(scope.released, String) };
    case 'partitions':
      return { kind: scope.kind, loaded: Array.from(scope.loaded, String) };
  }
}

function scopeFromJson(stored: StoredObject): LoadScope {
  const kind = stored.text('kind');
  switch (kind) {
    case 'collection':
      return { kind, released: new Set(stored.int64s('released') as PartitionId[]) };
    case 'partitions':
      return { kind, loaded: new Set(stored.int64s('loaded') as PartitionId[]) };
    default:
      throw new RecordDamage(`the load scope ${kind} is unknown`);
  }
}
