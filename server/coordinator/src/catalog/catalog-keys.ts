import type { CollectionId, IndexId, SegmentId } from '@elanus/model';

/**
 * Where each record of the catalog is; docs/formats/catalog.md draws the whole. Ids are plain decimal:
 * records are found by prefix, never by order.
 */
export const CATALOG_PREFIX = {
  database: 'catalog/database/',
  alias: 'catalog/alias/',
  collection: 'catalog/collection/',
  index: 'catalog/index/',
  load: 'catalog/load/',
  segment: 'catalog/segment/',
  deleteFile: 'catalog/delete-file/',
  indexFile: 'catalog/index-file/',
  checkpoint: 'catalog/checkpoint/',
  import: 'catalog/import/',
  export: 'catalog/export/',
  fileResource: 'catalog/file-resource/',
} as const;

/** Written once, into a new catalog. */
export const START_KEY = 'catalog/start';
/** No timestamp at or above the stored one was handed out. */
export const TIMESTAMP_WINDOW_KEY = 'catalog/window/timestamp';
/** No id at or above the stored one was handed out. */
export const ID_WINDOW_KEY = 'catalog/window/id';

export function databaseKey(id: bigint): string {
  return `${CATALOG_PREFIX.database}${id}`;
}

export function aliasKeyPrefix(database: bigint): string {
  return `${CATALOG_PREFIX.alias}${database}/`;
}

/** The name is part of the key, so that no two aliases of a database can share one. */
export function aliasKey(database: bigint, alias: string): string {
  return `${aliasKeyPrefix(database)}${alias}`;
}

export function collectionKey(id: CollectionId): string {
  return `${CATALOG_PREFIX.collection}${id}`;
}

export function indexKeyPrefix(collection: CollectionId): string {
  return `${CATALOG_PREFIX.index}${collection}/`;
}

export function indexKey(collection: CollectionId, id: IndexId): string {
  return `${indexKeyPrefix(collection)}${id}`;
}

export function loadKey(id: CollectionId): string {
  return `${CATALOG_PREFIX.load}${id}`;
}

export function checkpointKey(id: CollectionId): string {
  return `${CATALOG_PREFIX.checkpoint}${id}`;
}

export function importKey(id: bigint): string {
  return `${CATALOG_PREFIX.import}${id}`;
}

export function exportKey(id: bigint): string {
  return `${CATALOG_PREFIX.export}${id}`;
}

export function fileResourceKey(id: bigint): string {
  return `${CATALOG_PREFIX.fileResource}${id}`;
}

/** The kinds of records that a collection has one of for each file. */
export type FileRecordKind = 'segment' | 'deleteFile' | 'indexFile';

export function fileKeyPrefix(kind: FileRecordKind, collection: CollectionId): string {
  return `${CATALOG_PREFIX[kind]}${collection}/`;
}

export function fileKey(kind: FileRecordKind, collection: CollectionId, id: SegmentId): string {
  return `${fileKeyPrefix(kind, collection)}${id}`;
}
