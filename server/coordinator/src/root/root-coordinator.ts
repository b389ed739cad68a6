import {
  aliasConflict,
  type CollectionId,
  type CollectionInfo,
  type DatabaseId,
  type DuplicateKeyPolicy,
  invalidInput,
  type KeyValue,
  MilvusError,
  type PartitionId,
  type PartitionInfo,
  refused,
  type Timestamp,
} from '@elanus/model';
import type {
  CollectionChange,
  CollectionRef,
  CreateCollection,
  DatabaseInfo,
  FileResource,
  IndexWorker,
  PropertyChange,
  RootCoordinator,
  StreamingWorker,
} from '@elanus/rpc';
import { type Logger, silentLogger, type TimestampSource } from '@elanus/runtime';
import type { Catalog } from '../catalog/catalog.ts';
import type { CatalogChange } from '../catalog/catalog-change.ts';
import { channelNames } from '../catalog/channel-name.ts';
import { isPartitionLoaded } from '../query/load-scope.ts';
import { Aliases } from './aliases.ts';
import { CollectionChanges } from './collection-changes.ts';
import { duplicateKeyPolicy, timezoneOf, withTimezone } from './collection-properties.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';
import { collectionsMaxOf } from './database-properties.ts';
import { Databases } from './databases.ts';
import { FileResources } from './file-resources.ts';
import type { IdAllocator } from './id-allocator.ts';
import { collectionNotFoundById, isNotFound } from './not-found.ts';
import { isSameCollection } from './same-collection.ts';

const DEFAULT_PARTITION_NAME = '_default';

export interface RootCoordinatorOptions {
  readonly catalog: Catalog;
  readonly timestamps: TimestampSource;
  readonly ids: IdAllocator;
  readonly streaming: StreamingWorker;
  readonly indexing: IndexWorker;
  readonly limits: CoordinatorLimits;
  readonly logger?: Logger;
}

/**
 * Databases, aliases, collections and partitions over the catalog.
 *
 * The worker and the catalog change one after the other, and a crash may come between. A collection's
 * channels are made before its record, so a record always has its channels; they go after it, so what
 * a crash leaves behind is channels without a record, which the launcher collects at the next start.
 */
export class CatalogRootCoordinator implements RootCoordinator {
  readonly #catalog: Catalog;
  readonly #timestamps: TimestampSource;
  readonly #ids: IdAllocator;
  readonly #streaming: StreamingWorker;
  readonly #limits: CoordinatorLimits;
  readonly #logger: Logger;
  readonly #databases: Databases;
  readonly #aliases: Aliases;
  readonly #fileResources: FileResources;
  readonly #changes: CollectionChanges;

  private constructor(options: RootCoordinatorOptions) {
    this.#catalog = options.catalog;
    this.#timestamps = options.timestamps;
    this.#ids = options.ids;
    this.#streaming = options.streaming;
    this.#limits = options.limits;
    this.#logger = options.logger ?? silentLogger;
    this.#databases = new Databases(options);
    this.#aliases = new Aliases(options);
    this.#fileResources = new FileResources(options);
    this.#changes = new CollectionChanges(options);
  }

  /** Makes the database `default` when the catalog is new. */
  static async open(options: RootCoordinatorOptions): Promise<CatalogRootCoordinator> {
    const root = new CatalogRootCoordinator(options);
    await root.#databases.makeDefault();
    return root;
  }

  async allocateTimestamp(): Promise<Timestamp> {
    return this.#timestamps.next();
  }

  async allocateIds(count: number): Promise<bigint> {
    return await this.#ids.allocate(count);
  }

  async listFileResources(): Promise<readonly FileResource[]> {
    return this.#fileResources.list();
  }

  async addFileResource(name: string, path: string): Promise<void> {
    await this.#fileResources.add(name, path);
  }

  async removeFileResource(name: string): Promise<void> {
    await this.#fileResources.remove(name);
  }

  async listDatabases(): Promise<readonly DatabaseInfo[]> {
    return this.#catalog.databases();
  }

  async findDatabase(database: string): Promise<DatabaseInfo | undefined> {
    return this.#catalog.findDatabase(database);
  }

  async describeDatabase(database: string): Promise<DatabaseInfo> {
    return this.#catalog.database(database);
  }

  async createDatabase(database: string, properties: readonly KeyValue[]): Promise<DatabaseInfo> {
    return await this.#databases.create(database, properties);
  }

  async dropDatabase(database: string): Promise<void> {
    await this.#databases.drop(database);
  }

  async alterDatabase(database: string, change: PropertyChange): Promise<void> {
    await this.#databases.alter(database, change);
  }

  async createAlias(ref: CollectionRef, alias: string): Promise<void> {
    await this.#aliases.create(ref, alias);
  }

  async alterAlias(ref: CollectionRef, alias: string): Promise<void> {
    await this.#aliases.alter(ref, alias);
  }

  async dropAlias(database: string, alias: string): Promise<void> {
    await this.#aliases.drop(database, alias);
  }

  async describeAlias(database: string, alias: string): Promise<CollectionInfo> {
    return this.#aliases.describe(database, alias);
  }

  async listAliases(database: string): Promise<readonly string[]> {
    return this.#aliases.list(database);
  }

  async aliasesOf(id: CollectionId): Promise<readonly string[]> {
    return this.#catalog.aliasesOf(id);
  }

  async createCollection(request: CreateCollection): Promise<CollectionInfo> {
    const name = request.schema.name;
    const duplicateKey = duplicateKeyPolicy(request.properties);
    return await this.#catalog.withDatabase(request.database, async (database) => {
      if (this.#catalog.findAlias(database.name, name) !== undefined)
        throw aliasConflict(database.name, name);
      const existing = this.#catalog.findByOwnName({ database: database.name, collection: name });
      if (existing !== undefined) {
        if (isSameCollection(existing, request)) return existing;
        throw refused(`create duplicate collection with different parameters, collection: ${name}`);
      }
      this.#checkCollectionCount(database);
      this.#checkPartitionsNum(request);
      this.#checkCapacity(partitionNames(request).length * request.shardsNum);
      const collection = await this.#newCollection(database, request, duplicateKey);
      await this.#streaming.openCollection(collection);
      try {
        await this.#catalog.commit([{ kind: 'put-collection', collection }]);
      } catch (error) {
        await this.#dropChannels(collection);
        throw error;
      }
      return collection;
    });
  }

  async dropCollection(ref: CollectionRef): Promise<void> {
    try {
      await this.#catalog.withDatabase(ref.database, async () => {
        if (this.#catalog.findAlias(ref.database, ref.collection) !== undefined) {
          throw refused(`cannot drop the collection via alias = ${ref.collection}`);
        }
        await this.#catalog.withCollection(ref, async (collection) => {
          this.#refuseAliases(collection);
          await this.#catalog.commit([{ kind: 'remove-collection', collection }]);
          await this.#dropChannels(collection);
        });
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async describeCollection(ref: CollectionRef): Promise<CollectionInfo> {
    return this.#catalog.collection(ref);
  }

  async describeCollectionById(id: CollectionId): Promise<CollectionInfo> {
    const collection = this.#catalog.collectionById(id);
    if (collection === undefined) throw collectionNotFoundById(id);
    return collection;
  }

  async listCollections(database: string): Promise<readonly CollectionInfo[]> {
    const { id } = this.#catalog.database(database);
    return this.#catalog.collections().filter((collection) => collection.databaseId === id);
  }

  async truncateCollection(ref: CollectionRef): Promise<void> {
    await this.#changes.empty(ref);
  }

  async renameCollection(ref: CollectionRef, to: CollectionRef): Promise<void> {
    await this.#withDatabases([ref.database, to.database], async () => {
      const target = this.#catalog.database(to.database);
      if (this.#catalog.findCollection(to) !== undefined) {
        throw refused(
          `duplicated new collection name ${to.database}:${to.collection} with other collection name or alias`,
        );
      }
      if (this.#catalog.findAlias(ref.database, ref.collection) !== undefined) {
        throw refused(`unsupported use an alias to rename collection, alias:${ref.collection}`);
      }
      await this.#catalog.withCollection(ref, async (collection) => {
        if (collection.databaseId !== target.id && this.#catalog.aliasesOf(collection.id).length > 0) {
          throw refused('fail to rename db name, must drop all aliases of this collection before rename');
        }
        await this.#change({
          ...collection,
          databaseId: target.id as DatabaseId,
          databaseName: target.name,
          name: to.collection,
          schema: { ...collection.schema, name: to.collection },
          updatedTimestamp: this.#timestamps.next(),
        });
      });
    });
  }

  async alterCollection(ref: CollectionRef, change: CollectionChange): Promise<'done' | 'stale'> {
    return await this.#changes.alter(ref, change);
  }

  async createPartition(ref: CollectionRef, partition: string): Promise<PartitionInfo> {
    return await this.#catalog.withCollection(ref, async (collection) => {
      const existing = collection.partitions.find(({ name }) => name === partition);
      if (existing !== undefined) {
        // The worker may have missed the news: the first call failed after its commit.
        await this.#streaming.updateCollection(collection);
        return existing;
      }
      this.#checkPartitionCount(collection);
      this.#checkCapacity(collection.channels.length);
      const created: PartitionInfo = {
        id: (await this.#ids.allocate(1)) as PartitionId,
        name: partition,
        createdTimestamp: this.#timestamps.next(),
      };
      await this.#change({ ...collection, partitions: [...collection.partitions, created] });
      return created;
    });
  }

  async dropPartition(ref: CollectionRef, partition: string): Promise<void> {
    await this.#catalog.withCollection(ref, async (collection) => {
      if (partition === DEFAULT_PARTITION_NAME) throw refused('default partition cannot be deleted');
      const dropped = collection.partitions.find(({ name }) => name === partition);
      if (dropped === undefined) return;
      const load = this.#catalog.loadOf(collection.id);
      if (load !== undefined && isPartitionLoaded(load, dropped.id)) {
        throw invalidInput('partition cannot be dropped, partition is loaded, please release it first');
      }
      const left = { ...collection, partitions: collection.partitions.filter(({ id }) => id !== dropped.id) };
      await this.#change(left, this.#catalog.files.removalOfPartition(collection.id, dropped.id));
      await this.#streaming.dropPartitions(collection.id, [dropped.id]);
    });
  }

  async #newCollection(
    database: DatabaseInfo,
    request: CreateCollection,
    duplicateKey: DuplicateKeyPolicy,
  ): Promise<CollectionInfo> {
    const names = partitionNames(request);
    const id = (await this.#ids.allocate(1 + names.length)) as CollectionId;
    const createdTimestamp = this.#timestamps.next();
    return {
      id,
      databaseId: database.id as DatabaseId,
      databaseName: database.name,
      name: request.schema.name,
      schema: request.schema,
      channels: channelNames(id, request.shardsNum),
      partitions: names.map((name, at) => ({
        id: (id + 1n + BigInt(at)) as bigint as PartitionId,
        name,
        createdTimestamp,
      })),
      consistencyLevel: request.consistencyLevel,
      properties: withTimezone(request.properties, timezoneOf(database.properties)),
      duplicateKey,
      createdTimestamp,
      updatedTimestamp: createdTimestamp,
    };
  }

  async #change(collection: CollectionInfo, beside: readonly CatalogChange[] = []): Promise<void> {
    await this.#catalog.commit([{ kind: 'put-collection', collection }, ...beside]);
    await this.#streaming.updateCollection(collection);
  }

  /** The collection is gone from the catalog: channels that stay now go at the next start. */
  async #dropChannels(collection: CollectionInfo): Promise<void> {
    try {
      await this.#streaming.dropCollection(collection.id);
    } catch (error) {
      this.#logger.warn(
        { err: error, collection: String(collection.id) },
        'channels stay until the next start',
      );
    }
  }

  /** Takes the locks of both databases in one order, so that two renames cannot wait for each other. */
  async #withDatabases(names: readonly string[], task: () => Promise<void>): Promise<void> {
    const [first, ...rest] = [...new Set(names)].sort();
    if (first === undefined) return await task();
    await this.#catalog.withDatabase(first, async () => await this.#withDatabases(rest, task));
  }

  #refuseAliases(collection: CollectionInfo): void {
    const aliases = this.#catalog.aliasesOf(collection.id);
    if (aliases.length === 0) return;
    throw refused(
      `unable to drop the collection [${collection.name}] because it has associated aliases [${aliases.join(' ')}], please remove all aliases before dropping the collection`,
    );
  }

  #checkCollectionCount(database: DatabaseInfo): void {
    const count = this.#catalog.collections().filter(({ databaseId }) => databaseId === database.id).length;
    const limit = collectionsMaxOf(database.properties) ?? this.#limits.collectionsMax;
    if (count < limit) return;
    throw new MilvusError(
      `exceeded the limit number of collections[dbName=${database.name}][limit=${limit}]`,
      { code: 102, inputError: true },
    );
  }

  #checkPartitionsNum(request: CreateCollection): void {
    const limit = this.#limits.partitionsMax;
    if (request.schema.partitionKey === null || request.partitionsNum <= limit) return;
    throw invalidInput(
      `partition number (${request.partitionsNum}) exceeds max configuration (${limit}): invalid parameter`,
    );
  }

  #checkPartitionCount(collection: CollectionInfo): void {
    const limit = this.#limits.partitionsMax;
    const count = collection.partitions.length;
    if (count < limit) return;
    throw refused(
      `partition number (${count}) exceeds max configuration (${limit}), collection: ${collection.name}`,
    );
  }

  #checkCapacity(added: number): void {
    const used = this.#catalog
      .collections()
      .reduce((sum, { partitions, channels }) => sum + partitions.length * channels.length, 0);
    const limit = this.#limits.capacityMax;
    if (used + added <= limit) return;
    throw new MilvusError(
      `partitions times shards of all collections would be ${used + added}, the most is ${limit}: general capacity exceeded`,
      { code: 250 },
    );
  }
}

function partitionNames(request: CreateCollection): readonly string[] {
  if (request.schema.partitionKey === null) return [DEFAULT_PARTITION_NAME];
  return Array.from({ length: request.partitionsNum }, (_, at) => `${DEFAULT_PARTITION_NAME}_${at}`);
}
