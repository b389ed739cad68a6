import type { CollectionId, DatabaseId, Timestamp } from '@elanus/model';
import { decodeRecord, encodeRecord } from './record.ts';

/** A second name of a collection. It follows the collection's id, so a rename leaves it as it is. */
export interface AliasRecord {
  readonly databaseId: DatabaseId;
  readonly name: string;
  readonly collectionId: CollectionId;
  readonly createdTimestamp: Timestamp;
}

export function encodeAlias(alias: AliasRecord): Uint8Array {
  return encodeRecord({
    databaseId: String(alias.databaseId),
    name: alias.name,
    collectionId: String(alias.collectionId),
    createdTimestamp: String(alias.createdTimestamp),
  });
}

/** @throws RecordDamage, RecordTooNew */
export function decodeAlias(bytes: Uint8Array): AliasRecord {
  const record = decodeRecord(bytes);
  return {
    databaseId: record.int64('databaseId') as DatabaseId,
    name: record.text('name'),
    collectionId: record.int64('collectionId') as CollectionId,
    createdTimestamp: record.int64('createdTimestamp') as Timestamp,
  };
}
