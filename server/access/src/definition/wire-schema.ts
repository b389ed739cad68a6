import { type CollectionInfo, cannotFindCollection, MilvusError } from '@elanus/model';
import { decode, encode, type schema_CollectionSchema } from '@elanus/proto';
import type { CollectionRef, RootCoordinator } from '@elanus/rpc';
import { describeCollection } from './describe-collection.ts';

/** A collection never changes: there is a new one instead. */
const schemas = new WeakMap<CollectionInfo, schema_CollectionSchema>();

/** The schema of a collection as a client of DescribeCollection reads it. Made once; nobody changes it. */
export function wireSchemaOf(collection: CollectionInfo): schema_CollectionSchema {
  const known = schemas.get(collection);
  if (known !== undefined) return known;
  const { schema } = describeCollection(collection, [], collection.createdTimestamp);
  const read = decode('schema.CollectionSchema', encode('schema.CollectionSchema', schema!));
  schemas.set(collection, read);
  return read;
}

/** The collection of that name or alias. @throws MilvusError cannotFindCollection, databaseNotFound */
export async function describedCollection(
  root: Pick<RootCoordinator, 'describeCollection'>,
  ref: CollectionRef,
): Promise<CollectionInfo> {
  try {
    return await root.describeCollection(ref);
  } catch (error) {
    if (error instanceof MilvusError && error.code === NOT_FOUND)
      throw cannotFindCollection(ref.database, ref.collection);
    throw error;
  }
}

const NOT_FOUND = 100;
