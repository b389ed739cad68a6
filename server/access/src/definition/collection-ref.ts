import type { CollectionInfo } from '@elanus/model';
import type { CollectionRef } from '@elanus/rpc';
import type { AccessLimits } from '../limits.ts';
import { checkCollectionName } from './names.ts';

/**
 * The collection that a request names, its existence not checked.
 * @throws MilvusError 1100 when no collection can have that name
 */
export function collectionRef(
  database: string,
  collection: string,
  limits: Pick<AccessLimits, 'nameBytesMax'>,
): CollectionRef {
  checkCollectionName(collection, limits);
  return { database, collection };
}

/** A collection that was found already: an alias that moves meanwhile does not lead to another one. */
export function ownRef(collection: CollectionInfo): CollectionRef {
  return { database: collection.databaseName, collection: collection.name };
}
