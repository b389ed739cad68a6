import {
  type CollectionId,
  type CollectionInfo,
  collectionNotLoaded,
  MilvusError,
  physicalMs,
} from '@elanus/model';
import type { CollectionRef, LoadInfo } from '@elanus/rpc';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { wordFileReader } from '../text/word-file-reader.ts';
import { checkModels, checkTokenizers } from './check-models.ts';
import { collectionRef } from './collection-ref.ts';
import { describeCollection } from './describe-collection.ts';
import { decodeSchema, readCreateCollection } from './schema/read-create-collection.ts';
import { readWordFiles } from './schema/word-files.ts';
import { timeZoneOf } from './timezone.ts';
import { describedCollection } from './wire-schema.ts';

/** `ShowType` on the wire. */
export const SHOW_IN_MEMORY = 1;

/** Create, drop, empty, has, describe, show, rename and count collections. */
export function collectionHandlers(dependencies: AccessDependencies): Handlers {
  const { root, query, data, limits, streaming } = dependencies;
  const read = wordFileReader(dependencies);

  const refOf = (database: string, collection: string) => collectionRef(database, collection, limits);

  const describe = async (collection: CollectionInfo) => {
    const aliases = await root.aliasesOf(collection.id);
    const now = await root.allocateTimestamp();
    return describeCollection(collection, aliases, now, streaming.lossesOf(collection.id));
  };

  return {
    async CreateCollection(request, context) {
      const database = await root.findDatabase(context.database);
      const timeZone = timeZoneOf({ properties: database?.properties ?? [] });
      const message = decodeSchema(request.schema);
      await readWordFiles(message.fields, read);
      const asked = readCreateCollection(request, message, { name: context.database, timeZone }, limits);
      await checkTokenizers(dependencies, asked.schema.fields);
      await checkModels(dependencies, asked.schema, context);
      await root.createCollection(asked);
      return {};
    },

    async DropCollection(request, context) {
      await root.dropCollection(refOf(context.database, request.collectionName));
      return {};
    },

    async TruncateCollection(request, context) {
      await root.truncateCollection(refOf(context.database, request.collectionName));
      return {};
    },

    async HasCollection(request, context) {
      const found = await findCollection(dependencies, refOf(context.database, request.collectionName));
      return { value: found !== undefined };
    },

    async DescribeCollection(request, context) {
      const byId = request.collectionName === '' && request.collectionID !== 0n;
      if (byId) {
        return await describe(await root.describeCollectionById(request.collectionID as CollectionId));
      }
      const ref = refOf(context.database, request.collectionName);
      const collection = await describedCollection(root, ref);
      return { ...(await describe(collection)), collectionName: request.collectionName };
    },

    async ShowCollections(request, context) {
      const all = await root.listCollections(context.database);
      if (request.type !== SHOW_IN_MEMORY) return showCollections(all);
      const loaded: CollectionInfo[] = [];
      for (const collection of await namedCollections(all, request.collectionNames, (name) =>
        root.describeCollection(refOf(context.database, name)),
      )) {
        if ((await query.loadInfo(collection.id)) !== undefined) loaded.push(collection);
        else if (request.collectionNames.length > 0) throw collectionNotLoaded(collection.name);
      }
      return {
        ...showCollections(loaded),
        inMemoryPercentages: loaded.map(() => 100n),
        queryServiceAvailable: loaded.map(() => true),
      };
    },

    async RenameCollection(request, context) {
      const to = refOf(request.newDBName || context.database, request.newName);
      await root.renameCollection(refOf(context.database, request.oldName), to);
      return {};
    },

    async GetCollectionStatistics(request, context) {
      const rows = await data.countRows(refOf(context.database, request.collectionName), null);
      return { stats: [{ key: 'row_count', value: String(rows) }] };
    },

    async GetReplicas(request, context) {
      const collection =
        request.collectionName === '' && request.collectionID !== 0n
          ? await root.describeCollectionById(request.collectionID as CollectionId)
          : await root.describeCollection(refOf(context.database, request.collectionName));
      const load = await query.loadInfo(collection.id);
      return { replicas: load === undefined ? [] : [replicaOf(collection, load)] };
    },
  };
}

/** `undefined` when there is none. @throws databaseNotFound */
async function findCollection(
  { root }: AccessDependencies,
  ref: CollectionRef,
): Promise<CollectionInfo | undefined> {
  try {
    return await root.describeCollection(ref);
  } catch (error) {
    if (error instanceof MilvusError && error.code === 100) return undefined;
    throw error;
  }
}

/** Those that the client named, in its order; all when it named none. */
async function namedCollections(
  all: readonly CollectionInfo[],
  names: readonly string[],
  find: (name: string) => Promise<CollectionInfo>,
): Promise<readonly CollectionInfo[]> {
  if (names.length === 0) return all;
  const named: CollectionInfo[] = [];
  // One after the other: of a million names that nobody has, the first ends it.
  for (const name of new Set(names)) named.push(await find(name));
  return named;
}

function showCollections(collections: readonly CollectionInfo[]) {
  return {
    collectionNames: collections.map(({ name }) => name),
    collectionIds: collections.map(({ id }) => id),
    createdTimestamps: collections.map(({ createdTimestamp }) => createdTimestamp),
    createdUtcTimestamps: collections.map(({ createdTimestamp }) => BigInt(physicalMs(createdTimestamp))),
    shardsNum: collections.map(({ channels }) => channels.length),
  };
}

export const NODE_ID = 1n;

/** One process serves everything: one replica on one node. */
function replicaOf(collection: CollectionInfo, load: LoadInfo) {
  const loaded = collection.partitions.filter(
    ({ id }) => load.partitions === 'all' || load.partitions.has(id),
  );
  return {
    replicaID: collection.id,
    collectionID: collection.id,
    partitionIds: loaded.map(({ id }) => id),
    shardReplicas: collection.channels.map((channel) => ({
      leaderID: NODE_ID,
      leaderAddr: 'localhost',
      dmChannelName: channel,
      nodeIds: [NODE_ID],
    })),
    nodeIds: [NODE_ID],
    resourceGroupName: '__default_resource_group',
  };
}
