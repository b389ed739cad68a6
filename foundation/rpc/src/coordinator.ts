import type {
  CollectionId,
  CollectionInfo,
  CollectionSchema,
  ConsistencyLevel,
  FieldId,
  IndexInfo,
  KeyValue,
  PartitionId,
  PartitionInfo,
  SegmentInfo,
  Timestamp,
} from '@elanus/model';
import type { CompactionReport, CompactionTicket, SegmentReport } from './worker.ts';

/** Names a collection (by its name or an alias) within a database. */
export interface CollectionRef {
  readonly database: string;
  readonly collection: string;
}

export interface CreateCollection {
  readonly database: string;
  /** Validated; ids are assigned, `$meta` is present if asked for. */
  readonly schema: CollectionSchema;
  readonly shardsNum: number;
  /** Hidden partitions of a collection with a partition key; ignored without one. */
  readonly partitionsNum: number;
  readonly consistencyLevel: ConsistencyLevel;
  readonly properties: readonly KeyValue[];
}

/** What is to change of a collection; what is left out stays. */
export interface CollectionChange {
  /** Validated, made from the schema of the version before its own. */
  readonly schema?: CollectionSchema;
  /** Of a field that `schema` has and the one before has not: both come, or neither. */
  readonly index?: CreateIndex;
  readonly properties?: PropertyChange;
}

/** A file of the object store that analyzers take words from. */
export interface FileResource {
  readonly id: bigint;
  readonly name: string;
  /** Its key in the object store. */
  readonly path: string;
}

/** Databases, collections, partitions, ids and time. Every change is one catalog transaction, durable when it resolves. */
export interface RootCoordinator {
  /** A timestamp above every earlier one, also across restarts. */
  allocateTimestamp(): Promise<Timestamp>;
  /** The first of `count` ids that nobody has or will get; they follow each other. */
  allocateIds(count: number): Promise<bigint>;

  /** In order of creation. */
  listFileResources(): Promise<readonly FileResource[]>;
  /** Idempotent. @throws MilvusError 65535 when the name stands for another file */
  addFileResource(name: string, path: string): Promise<void>;
  /** Idempotent. */
  removeFileResource(name: string): Promise<void>;

  listDatabases(): Promise<readonly DatabaseInfo[]>;
  findDatabase(database: string): Promise<DatabaseInfo | undefined>;
  /** @throws databaseNotFound */
  describeDatabase(database: string): Promise<DatabaseInfo>;
  /** @throws MilvusError 65535 when the name is taken, 801 when there are as many as may be */
  createDatabase(database: string, properties: readonly KeyValue[]): Promise<DatabaseInfo>;
  /** A database that does not exist counts as dropped; `default` and one that holds collections are refused. */
  dropDatabase(database: string): Promise<void>;
  /** @throws databaseNotFound */
  alterDatabase(database: string, change: PropertyChange): Promise<void>;

  /**
   * Makes `alias` stand for the collection that `ref` names by its own name. The same again changes nothing.
   * @throws aliasConflict, aliasTaken, collectionNotFound, databaseNotFound
   */
  createAlias(ref: CollectionRef, alias: string): Promise<void>;
  /**
   * Makes `alias` stand for another collection, for all requests that find their collection from now on.
   * @throws aliasConflict, aliasNotFound, collectionNotFound, databaseNotFound
   */
  alterAlias(ref: CollectionRef, alias: string): Promise<void>;
  /** An alias that does not exist counts as dropped. @throws databaseNotFound */
  dropAlias(database: string, alias: string): Promise<void>;
  /** The collection that `alias` stands for. @throws aliasNotFound, aliasWithoutCollection, databaseNotFound */
  describeAlias(database: string, alias: string): Promise<CollectionInfo>;
  /** All of the database, in alphabetical order. @throws databaseNotFound */
  listAliases(database: string): Promise<readonly string[]>;
  /** Those of one collection, in alphabetical order; none when it does not exist. */
  aliasesOf(id: CollectionId): Promise<readonly string[]>;

  /** Creating the same collection again is a success that changes nothing; with other settings it is refused. */
  createCollection(request: CreateCollection): Promise<CollectionInfo>;
  /** A collection that does not exist counts as dropped; one that aliases stand for is refused, and so is an alias. */
  dropCollection(ref: CollectionRef): Promise<void>;
  /** @throws collectionNotFound, databaseNotFound */
  describeCollection(ref: CollectionRef): Promise<CollectionInfo>;
  /** @throws collectionNotFound with the id as name */
  describeCollectionById(id: CollectionId): Promise<CollectionInfo>;
  listCollections(database: string): Promise<readonly CollectionInfo[]>;
  /**
   * Deletes every row; all else stays, but that the partitions are others with the same names.
   * @throws collectionNotFound, databaseNotFound
   */
  truncateCollection(ref: CollectionRef): Promise<void>;
  renameCollection(ref: CollectionRef, to: CollectionRef): Promise<void>;
  /**
   * `stale` when the schema has changed since the new one was made; then nothing was done.
   * @throws collectionNotFound, databaseNotFound, MilvusError 1100 for a dropped field that has an index, 104 for
   * storage properties of a loaded collection
   */
  alterCollection(ref: CollectionRef, change: CollectionChange): Promise<'done' | 'stale'>;

  /** An existing name is a success that changes nothing. */
  createPartition(ref: CollectionRef, partition: string): Promise<PartitionInfo>;
  /** An unknown partition counts as dropped; a loaded one is refused. */
  dropPartition(ref: CollectionRef, partition: string): Promise<void>;
}

export interface DatabaseInfo {
  readonly id: bigint;
  readonly name: string;
  readonly createdTimestamp: Timestamp;
  readonly properties: readonly KeyValue[];
}

/** Properties to set, in the place of those with the same keys, and keys to forget. */
export interface PropertyChange {
  readonly set: readonly KeyValue[];
  readonly remove: readonly string[];
}

export type LoadState = 'not-exist' | 'not-load' | 'loading' | 'loaded';

/** What of a collection readers may touch. */
export interface LoadInfo {
  readonly collectionId: CollectionId;
  /** `all`: the collection was loaded whole, later partitions included. */
  readonly partitions: 'all' | ReadonlySet<PartitionId>;
  /** Fields that may be filtered on and returned; `all` unless `load_fields` or `skip_load_dynamic_field` said otherwise. */
  readonly fields: 'all' | ReadonlySet<FieldId>;
  readonly replicaNumber: number;
}

export interface LoadRequest {
  /** `null`: the whole collection. Names, in the caller's order. */
  readonly partitions: readonly string[] | null;
  readonly fields: readonly string[];
  readonly skipDynamicField: boolean;
  /** 0: as many as the database's properties say, otherwise 1. */
  readonly replicaNumber: number;
  readonly refresh: boolean;
}

export interface LoadProgress {
  readonly state: LoadState;
  /** 0 to 100. */
  readonly percent: number;
}

/** Which collections and partitions are loaded. */
export interface QueryCoordinator {
  load(ref: CollectionRef, request: LoadRequest): Promise<void>;
  /** `null`: the whole collection. Releasing what is not loaded changes nothing. */
  release(ref: CollectionRef, partitions: readonly string[] | null): Promise<void>;
  /** Never throws for an unknown collection: that is the state `not-exist`. */
  loadState(ref: CollectionRef, partitions: readonly string[]): Promise<LoadState>;
  /** @throws collectionNotLoaded, partitionNotLoaded, collectionNotFound */
  loadProgress(ref: CollectionRef, partitions: readonly string[]): Promise<LoadProgress>;
  /** `undefined` when nothing of the collection is loaded. */
  loadInfo(id: CollectionId): Promise<LoadInfo | undefined>;
}

export interface FlushResult {
  readonly collectionId: CollectionId;
  readonly segmentIds: readonly bigint[];
  readonly flushTimestamp: Timestamp;
  /** Unix seconds. */
  readonly sealTimeSeconds: bigint;
}

export interface StoredSegments {
  readonly collectionId: CollectionId;
  readonly segments: readonly SegmentInfo[];
}

export interface ServedSegments {
  readonly collectionId: CollectionId;
  readonly segments: readonly SegmentReport[];
  /** The index of each field that has one. */
  readonly indexes: ReadonlyMap<FieldId, IndexInfo>;
}

/** What a compaction is about; `null`: everything, and what the configuration says. */
export interface CompactOptions {
  readonly partitionId: PartitionId | null;
  /** Of the segments that others are put together to. */
  readonly bytesMax: number | null;
}

/** Flush, compaction and row counts. */
export interface DataCoordinator {
  /** Begins to write the rows of these collections to files. */
  flush(refs: readonly CollectionRef[]): Promise<readonly FlushResult[]>;
  /** As `flush` for every collection of every database. */
  flushAll(): Promise<Timestamp>;
  /** Whether everything written up to `timestamp` is in files; `null`: of every collection. */
  isFlushed(ref: CollectionRef | null, segmentIds: readonly bigint[], timestamp: Timestamp): Promise<boolean>;
  /** Begins to put segments of a collection together. @throws collectionNotFound */
  compact(ref: CollectionRef, options: CompactOptions): Promise<CompactionTicket>;
  /** What has become of it; nothing is under way of one that is not known. */
  compaction(ticket: bigint): CompactionReport;
  /** The segments of a collection that are in files. @throws collectionNotFound */
  storedSegments(ref: CollectionRef): Promise<StoredSegments>;
  /** What the workers have of a loaded collection. @throws collectionNotFound */
  servedSegments(ref: CollectionRef): Promise<ServedSegments>;
  /** Live rows; `partition` `null` counts the whole collection. @throws collectionNotFound, partitionNotFound */
  countRows(ref: CollectionRef, partition: string | null): Promise<bigint>;
}

export interface CreateIndex {
  readonly fieldName: string;
  /** Empty: the default name. */
  readonly indexName: string;
  /** Flattened: nested `params` JSON is already merged in. */
  readonly params: readonly KeyValue[];
}

export interface IndexDescription {
  readonly index: IndexInfo;
  /** The field; of an index within `$meta` the undeclared key. */
  readonly fieldName: string;
  readonly state: 'in-progress' | 'finished' | 'failed';
  readonly indexedRows: bigint;
  readonly totalRows: bigint;
  readonly pendingRows: bigint;
  readonly failReason: string;
}

/** Index definitions and their builds. */
export interface IndexCoordinator {
  createIndex(ref: CollectionRef, request: CreateIndex): Promise<void>;
  /**
   * The state is about the rows that were there when the index was made, or at `at` if that was later; the counts are
   * about those that are there now.
   * @throws indexNotFound when `indexName` (or, when empty, any index) does not exist
   */
  describeIndexes(
    ref: CollectionRef,
    indexName: string,
    at?: Timestamp,
  ): Promise<readonly IndexDescription[]>;
  /**
   * Changes how an index is kept, which does not build it anew.
   * @throws collectionNotFound, indexNotFound, collectionLoaded
   */
  alterIndex(ref: CollectionRef, indexName: string, change: PropertyChange): Promise<void>;
  dropIndex(ref: CollectionRef, indexName: string): Promise<void>;
  /** The vector index of a field; `undefined` when it has none. */
  vectorIndex(id: CollectionId, field: FieldId): Promise<IndexInfo | undefined>;
}
