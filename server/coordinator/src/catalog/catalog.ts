import type { MetaChange, MetaStore } from '@elanus/meta-store';
import {
  assert,
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  collectionNotFound,
  databaseNotFound,
  type IndexId,
  type IndexInfo,
} from '@elanus/model';
import type { CollectionRef, DatabaseInfo } from '@elanus/rpc';
import { type Logger, silentLogger } from '@elanus/runtime';
import { type AliasRecord, decodeAlias } from './alias-record.ts';
import { type CatalogChange, encodeChange } from './catalog-change.ts';
import {
  aliasKey,
  aliasKeyPrefix,
  CATALOG_PREFIX,
  collectionKey,
  databaseKey,
  indexKey,
  indexKeyPrefix,
  loadKey,
  START_KEY,
} from './catalog-keys.ts';
import { channelOwner } from './channel-name.ts';
import { decodeCollection, decodeDatabase } from './collection-record.ts';
import { type FileChange, FileRecords, isFileRecordOf } from './file-records.ts';
import { decodeIndex } from './index-record.ts';
import { decodeLoad, type LoadRecord } from './load-record.ts';
import { ObjectLocks } from './object-locks.ts';
import { decodeRecord, encodeRecord, RecordDamage, RecordTooNew } from './record.ts';

/** Always there; made when the catalog is. */
export const DEFAULT_DATABASE_NAME = 'default';
export const DEFAULT_DATABASE_ID = 1n;

/** A record that could not be read. Its bytes stay where they are; nobody is served from it. */
export interface CatalogDamage {
  readonly key: string;
  readonly reason: string;
}

/**
 * Every definition of the deployment: in memory for readers, in the meta store for good. The one
 * door for changes is `commit`; what readers see is always what the store holds.
 */
export class Catalog {
  /** For readers: changes go through `commit`. */
  readonly files: Omit<FileRecords, 'apply' | 'encode' | 'forget' | 'readAll' | 'keysOf'>;
  readonly #files = new FileRecords();
  readonly #store: MetaStore;
  readonly #locks = new ObjectLocks();
  #damage: CatalogDamage[] = [];
  readonly #databases = new Map<string, DatabaseInfo>();
  readonly #collections = new Map<CollectionId, CollectionInfo>();
  /** By database id and name. */
  readonly #collectionsByName = new Map<string, CollectionInfo>();
  /** By database id and name; collections have none of these names. */
  readonly #aliases = new Map<string, AliasRecord>();
  readonly #indexes = new Map<CollectionId, Map<IndexId, IndexInfo>>();
  readonly #loads = new Map<CollectionId, LoadRecord>();
  /** Collections with smaller ids were made by an earlier catalog, which is lost; `null`: this one is new. */
  #firstId: bigint | null = null;

  private constructor(store: MetaStore) {
    this.#store = store;
    this.files = this.#files;
  }

  /**
   * Reads the whole catalog. Damaged records are reported and left out.
   * @throws Error when a newer build has written a record
   */
  static async open(store: MetaStore, { logger = silentLogger }: { logger?: Logger } = {}): Promise<Catalog> {
    const catalog = new Catalog(store);
    await catalog.#readAll();
    for (const damage of catalog.#damage) logger.error(damage, 'a damaged catalog record was set aside');
    return catalog;
  }

  /** What opening had to set aside. */
  damage(): readonly CatalogDamage[] {
    return this.#damage;
  }

  /**
   * Notes in a new catalog from which id on collections are its own: what there may be of others is not to be deleted,
   * since all that is known of it is that a catalog was lost.
   */
  async begin(allocateId: () => Promise<bigint>): Promise<void> {
    if (this.#firstId !== null) return;
    const id = await allocateId();
    await this.#store.commit([{ key: START_KEY, value: encodeRecord({ id: String(id) }) }]);
    this.#firstId = id;
  }

  /** Whether the collection was made by an earlier catalog, which is lost. */
  isOfEarlierCatalog(id: CollectionId): boolean {
    return this.#firstId !== null && id < this.#firstId && !this.#collections.has(id);
  }

  /**
   * Whether rows on `channel` may still be wanted: its collection exists, or its record is damaged and may be
   * repaired, or was lost with a whole catalog. Any other channel is what a crash left behind.
   */
  ownsChannel(channel: ChannelName): boolean {
    const owner = channelOwner(channel);
    if (owner === undefined) return false;
    if (this.isOfEarlierCatalog(owner)) return true;
    return this.#collections.has(owner) || this.#damage.some(({ key }) => key === collectionKey(owner));
  }

  /** The record of the collection, or of its files, that can't be read; `undefined`: all can. */
  damageOf(id: CollectionId): CatalogDamage | undefined {
    return this.#damage.find(({ key }) => key === collectionKey(id) || isFileRecordOf(id, key));
  }

  /** Puts records in the place of those that can't be read, which count as sound from then on. */
  async mend(changes: readonly FileChange[]): Promise<void> {
    await this.commit(changes);
    const mended = new Set(changes.map((change) => this.#files.encode(change).key));
    this.#damage = this.#damage.filter(({ key }) => !mended.has(key));
  }

  /** In order of creation. */
  databases(): readonly DatabaseInfo[] {
    return [...this.#databases.values()];
  }

  findDatabase(name: string): DatabaseInfo | undefined {
    return this.#databases.get(name);
  }

  /** @throws databaseNotFound */
  database(name: string): DatabaseInfo {
    const database = this.#databases.get(name);
    if (database === undefined) throw databaseNotFound(name);
    return database;
  }

  collections(): readonly CollectionInfo[] {
    return [...this.#collections.values()];
  }

  collectionById(id: CollectionId): CollectionInfo | undefined {
    return this.#collections.get(id);
  }

  /**
   * Where a name becomes a collection, and the only place: its own name, or an alias. Who looks twice may find
   * two collections, because aliases move.
   * @throws databaseNotFound
   */
  findCollection(ref: CollectionRef): CollectionInfo | undefined {
    const own = this.findByOwnName(ref);
    if (own !== undefined) return own;
    const alias = this.findAlias(ref.database, ref.collection);
    return alias === undefined ? undefined : this.#collections.get(alias.collectionId);
  }

  /** Aliases left out. @throws databaseNotFound */
  findByOwnName(ref: CollectionRef): CollectionInfo | undefined {
    return this.#collectionsByName.get(nameKey(this.database(ref.database).id, ref.collection));
  }

  /** @throws databaseNotFound */
  findAlias(database: string, alias: string): AliasRecord | undefined {
    return this.#aliases.get(nameKey(this.database(database).id, alias));
  }

  /** Of every database. */
  aliases(): readonly AliasRecord[] {
    return [...this.#aliases.values()];
  }

  /** The names that stand for the collection besides its own, in alphabetical order. */
  aliasesOf(id: CollectionId): readonly string[] {
    return this.aliases()
      .flatMap(({ collectionId, name }) => (collectionId === id ? [name] : []))
      .sort();
  }

  /** @throws collectionNotFound, databaseNotFound */
  collection(ref: CollectionRef): CollectionInfo {
    const collection = this.findCollection(ref);
    if (collection === undefined) throw collectionNotFound(ref.database, ref.collection);
    return collection;
  }

  /** In order of creation. */
  indexesOf(id: CollectionId): readonly IndexInfo[] {
    return [...(this.#indexes.get(id)?.values() ?? [])];
  }

  loadOf(id: CollectionId): LoadRecord | undefined {
    return this.#loads.get(id);
  }

  /** Serialises changes of the set of databases, and of other names that the whole deployment shares. Taken before the lock of a database, never after. */
  async withDatabases<Result>(task: () => Promise<Result>): Promise<Result> {
    return await this.#locks.run('databases', task);
  }

  /** Serialises changes of the names of a database. Taken before the lock of a collection, never after. */
  async withDatabase<Result>(
    name: string,
    task: (database: DatabaseInfo) => Promise<Result>,
  ): Promise<Result> {
    return await this.#locks.run(`database ${name}`, async () => await task(this.database(name)));
  }

  /**
   * Serialises changes of one collection; `task` sees the collection as it is once its turn has come.
   * @throws collectionNotFound, databaseNotFound
   */
  async withCollection<Result>(
    ref: CollectionRef,
    task: (collection: CollectionInfo) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      const { id } = this.collection(ref);
      const outcome = await this.#locks.run(`collection ${id}`, async () => {
        const collection = this.collection(ref);
        return collection.id === id ? { result: await task(collection) } : null;
      });
      if (outcome !== null) return outcome.result;
    }
  }

  /** As `withCollection`, of a collection that may be no more: then `task` gets `undefined`. */
  async withCollectionId<Result>(
    id: CollectionId,
    task: (collection: CollectionInfo | undefined) => Promise<Result>,
  ): Promise<Result> {
    return await this.#locks.run(`collection ${id}`, async () => await task(this.#collections.get(id)));
  }

  /** All of `changes`, durable and seen by readers when it resolves; none of them when it rejects. */
  async commit(changes: readonly CatalogChange[]): Promise<void> {
    await this.#store.commit(changes.flatMap((change) => this.#encode(change)));
    for (const change of changes) this.#apply(change);
  }

  #encode(change: CatalogChange): readonly MetaChange[] {
    switch (change.kind) {
      case 'remove-database':
        return this.#keysOfDatabase(change.database.id).map((key) => ({ key, value: null }));
      case 'remove-collection':
        return this.#keysOf(change.collection.id).map((key) => ({ key, value: null }));
      default:
        return [encodeChange(change, this.#files)];
    }
  }

  #apply(change: CatalogChange): void {
    switch (change.kind) {
      case 'put-database':
        this.#databases.set(change.database.name, change.database);
        return;
      case 'remove-database':
        this.#databases.delete(change.database.name);
        for (const alias of this.aliases()) {
          if (alias.databaseId === change.database.id) this.#forgetAlias(alias);
        }
        return;
      case 'put-alias':
        this.#rememberAlias(change.alias);
        return;
      case 'remove-alias':
        this.#forgetAlias(change.alias);
        return;
      case 'put-collection':
        this.#forget(this.#collections.get(change.collection.id));
        this.#remember(change.collection);
        return;
      case 'remove-collection':
        this.#forget(this.#collections.get(change.collection.id));
        this.#indexes.delete(change.collection.id);
        this.#loads.delete(change.collection.id);
        this.#files.forget(change.collection.id);
        return;
      case 'put-index':
        this.#indexesForChange(change.index.collectionId).set(change.index.id, change.index);
        return;
      case 'remove-index':
        this.#indexesForChange(change.index.collectionId).delete(change.index.id);
        return;
      case 'put-load':
        this.#loads.set(change.load.collectionId, change.load);
        return;
      case 'remove-load':
        this.#loads.delete(change.collectionId);
        return;
      default:
        this.#files.apply(change);
    }
  }

  /** Every key that belongs to a database without collections, those of damaged aliases included. */
  #keysOfDatabase(id: bigint): readonly string[] {
    const aliases = this.aliases().filter(({ databaseId }) => databaseId === id);
    const keys = [...aliases.map(({ name }) => aliasKey(id, name)), ...this.#damagedKeys(aliasKeyPrefix(id))];
    return [databaseKey(id), ...keys];
  }

  /** Every key that belongs to the collection, damaged records included. */
  #keysOf(id: CollectionId): readonly string[] {
    const isOfIt = (key: string) => key.startsWith(indexKeyPrefix(id)) || isFileRecordOf(id, key);
    const damaged = this.#damage.map(({ key }) => key).filter(isOfIt);
    const indexes = this.indexesOf(id).map((index) => indexKey(id, index.id));
    return [collectionKey(id), loadKey(id), ...indexes, ...this.#files.keysOf(id), ...damaged];
  }

  #damagedKeys(prefix: string): readonly string[] {
    return this.#damage.map(({ key }) => key).filter((key) => key.startsWith(prefix));
  }

  #remember(collection: CollectionInfo): void {
    const key = nameKey(collection.databaseId, collection.name);
    assert(!this.#collectionsByName.has(key), `the name ${collection.name} belongs to one collection`);
    assert(!this.#aliases.has(key), `the name ${collection.name} is no alias`);
    this.#collections.set(collection.id, collection);
    this.#collectionsByName.set(key, collection);
  }

  #forget(collection: CollectionInfo | undefined): void {
    if (collection === undefined) return;
    this.#collections.delete(collection.id);
    this.#collectionsByName.delete(nameKey(collection.databaseId, collection.name));
  }

  #rememberAlias(alias: AliasRecord): void {
    const key = nameKey(alias.databaseId, alias.name);
    assert(!this.#collectionsByName.has(key), `the alias ${alias.name} is no collection's own name`);
    this.#aliases.set(key, alias);
  }

  #forgetAlias({ databaseId, name }: Pick<AliasRecord, 'databaseId' | 'name'>): void {
    this.#aliases.delete(nameKey(databaseId, name));
  }

  #indexesForChange(id: CollectionId): Map<IndexId, IndexInfo> {
    const known = this.#indexes.get(id) ?? new Map<IndexId, IndexInfo>();
    this.#indexes.set(id, known);
    return known;
  }

  async #readAll(): Promise<void> {
    const databases: DatabaseInfo[] = [];
    await this.#readEach(CATALOG_PREFIX.database, (bytes) => databases.push(decodeDatabase(bytes)));
    databases.sort((left, right) => (left.id < right.id ? -1 : 1));
    for (const database of databases) this.#databases.set(database.name, database);
    const databaseNames = new Map(this.databases().map((database) => [database.id, database.name]));
    // Its record may be damaged, its name and its collections are known all the same.
    databaseNames.set(DEFAULT_DATABASE_ID, DEFAULT_DATABASE_NAME);
    await this.#readEach(CATALOG_PREFIX.collection, (bytes) => {
      this.#remember(decodeCollection(bytes, (id) => databaseNames.get(id)));
    });
    await this.#readEach(CATALOG_PREFIX.alias, (bytes) => {
      const alias = decodeAlias(bytes);
      if (!databaseNames.has(alias.databaseId)) {
        throw new RecordDamage(`its database ${alias.databaseId} is unknown`);
      }
      this.#rememberAlias(alias);
    });
    const indexes: IndexInfo[] = [];
    await this.#readEach(CATALOG_PREFIX.index, (bytes) => indexes.push(decodeIndex(bytes)));
    indexes.sort((left, right) => (left.id < right.id ? -1 : 1));
    for (const index of indexes) this.#indexesForChange(index.collectionId).set(index.id, index);
    await this.#readEach(CATALOG_PREFIX.load, (bytes) => {
      const load = decodeLoad(bytes);
      this.#loads.set(load.collectionId, load);
    });
    await this.#files.readAll((prefix, read) => this.#readEach(prefix, read));
    await this.#readEach(START_KEY, (bytes) => {
      this.#firstId = decodeRecord(bytes).int64('id');
    });
    // What a catalog that has lost commits does not know may have been there, as with a new one.
    if (this.#store.isIncomplete) this.#firstId = null;
    else if (databases.length + this.#collections.size + this.#damage.length > 0) this.#firstId ??= 0n;
  }

  async #readEach(prefix: string, read: (bytes: Uint8Array) => void): Promise<void> {
    for (const [key, bytes] of await this.#store.scan(prefix)) {
      try {
        read(bytes);
      } catch (error) {
        if (error instanceof RecordTooNew)
          throw new Error(`catalog record ${key}: ${error.message}`, { cause: error });
        this.#damage.push({ key, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }
}

function nameKey(databaseId: bigint, collection: string): string {
  return `${databaseId}/${collection}`;
}
