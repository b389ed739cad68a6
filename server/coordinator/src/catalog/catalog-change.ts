import type { MetaChange } from '@elanus/meta-store';
import type { CollectionId, CollectionInfo, IndexInfo } from '@elanus/model';
import type { DatabaseInfo } from '@elanus/rpc';
import { type AliasRecord, encodeAlias } from './alias-record.ts';
import { aliasKey, collectionKey, databaseKey, indexKey, loadKey } from './catalog-keys.ts';
import { encodeCollection, encodeDatabase } from './collection-record.ts';
import type { FileChange, FileRecords } from './file-records.ts';
import { encodeIndex } from './index-record.ts';
import { encodeLoad, type LoadRecord } from './load-record.ts';

/** One step of a catalog transaction. */
export type CatalogChange =
  | { readonly kind: 'put-database'; readonly database: DatabaseInfo }
  /** Of a database without collections; takes aliases along whose collections can't be read. */
  | { readonly kind: 'remove-database'; readonly database: DatabaseInfo }
  | { readonly kind: 'put-alias'; readonly alias: AliasRecord }
  | { readonly kind: 'remove-alias'; readonly alias: Pick<AliasRecord, 'databaseId' | 'name'> }
  | { readonly kind: 'put-collection'; readonly collection: CollectionInfo }
  /** Takes the collection's indexes, load state and records of files along. */
  | { readonly kind: 'remove-collection'; readonly collection: CollectionInfo }
  | { readonly kind: 'put-index'; readonly index: IndexInfo }
  | { readonly kind: 'remove-index'; readonly index: IndexInfo }
  | { readonly kind: 'put-load'; readonly load: LoadRecord }
  | { readonly kind: 'remove-load'; readonly collectionId: CollectionId }
  | FileChange;

type ChangeOfOneRecord = Exclude<CatalogChange, { readonly kind: 'remove-database' | 'remove-collection' }>;

/** What a change does to the one record that it is about. */
export function encodeChange(change: ChangeOfOneRecord, files: Pick<FileRecords, 'encode'>): MetaChange {
  switch (change.kind) {
    case 'put-database':
      return { key: databaseKey(change.database.id), value: encodeDatabase(change.database) };
    case 'put-alias':
      return { key: aliasKey(change.alias.databaseId, change.alias.name), value: encodeAlias(change.alias) };
    case 'remove-alias':
      return { key: aliasKey(change.alias.databaseId, change.alias.name), value: null };
    case 'put-collection':
      return { key: collectionKey(change.collection.id), value: encodeCollection(change.collection) };
    case 'put-index':
      return { key: indexKey(change.index.collectionId, change.index.id), value: encodeIndex(change.index) };
    case 'remove-index':
      return { key: indexKey(change.index.collectionId, change.index.id), value: null };
    case 'put-load':
      return { key: loadKey(change.load.collectionId), value: encodeLoad(change.load) };
    case 'remove-load':
      return { key: loadKey(change.collectionId), value: null };
    default:
      return files.encode(change);
  }
}
