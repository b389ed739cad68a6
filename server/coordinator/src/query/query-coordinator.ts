import {
  type CollectionId,
  type CollectionInfo,
  collectionNotLoaded,
  indexNotFound,
  invalidParameter,
  isVector,
  type PartitionInfo,
  partitionNotFound,
  partitionNotLoaded,
  unexpectedParameter,
} from '@elanus/model';
import type {
  CollectionRef,
  LoadInfo,
  LoadProgress,
  LoadRequest,
  LoadState,
  QueryCoordinator,
} from '@elanus/rpc';
import type { Catalog } from '../catalog/catalog.ts';
import type { LoadRecord } from '../catalog/load-record.ts';
import { replicaNumberOf } from '../root/database-properties.ts';
import { LoadCache } from './load-cache.ts';
import {
  describeLoadFields,
  isFieldLoaded,
  type LoadFields,
  loadFieldsOf,
  sameLoadFields,
} from './load-fields.ts';
import { LoadMemory } from './load-memory.ts';
import { isPartitionLoaded, loadedPartitions, scopeWith, scopeWithout } from './load-scope.ts';

/**
 * Which collections and partitions are loaded.
 *
 *     not-exist ── create ─► not-load ── load ─► loading ── commit ─► loaded ── release ─► not-load
 *
 * Rows are in memory anyway, so `loading` lasts as long as the transaction that records the load.
 * A collection is loaded when any of its partitions is.
 */
export class CatalogQueryCoordinator implements QueryCoordinator {
  readonly #catalog: Catalog;
  readonly #memory: LoadMemory;
  readonly #cache: LoadCache;
  /** The record whose transaction is under way, by collection: what it adds is `loading`. */
  readonly #loading = new Map<CollectionId, LoadRecord>();

  /**
   * `memoryBytesMax`: a load whose files take more than this, with those that are loaded, is refused; so is, beyond
   * `cacheBytesMax`, one of a partition whose files do.
   */
  constructor(options: {
    readonly catalog: Catalog;
    readonly memoryBytesMax: number;
    readonly cacheBytesMax: number;
  }) {
    this.#catalog = options.catalog;
    this.#memory = new LoadMemory(options.catalog, options.memoryBytesMax);
    this.#cache = new LoadCache(options.catalog, options.cacheBytesMax);
  }

  async load(ref: CollectionRef, request: LoadRequest): Promise<void> {
    if (request.partitions?.length === 0) {
      throw invalidParameter('failed to load partition, due to no partition specified');
    }
    await this.#catalog.withCollection(ref, async (collection) => {
      const partitions = request.partitions === null ? null : partitionsNamed(collection, request.partitions);
      const current = this.#catalog.loadOf(collection.id);
      if (request.refresh && current === undefined) throw collectionNotLoaded(collection.name);
      const fields = loadFieldsOf(collection.schema, request);
      this.#checkIndexes(collection, fields);
      if (current !== undefined) checkSameFields(collection, current, fields, partitions);

      const replicas = request.replicaNumber || this.#defaultReplicas(collection);
      const wanted = recordOf(collection, current, replicas, partitions, fields);
      if (current !== undefined && isSameRecord(current, wanted)) return;
      this.#memory.check(collection, wanted);
      this.#cache.check(collection, wanted);
      await this.#commitLoad(wanted);
    });
  }

  async release(ref: CollectionRef, names: readonly string[] | null): Promise<void> {
    if (names?.length === 0)
      throw invalidParameter('failed to release partition, due to no partition specified');
    await this.#catalog.withCollection(ref, async (collection) => {
      const partitions = names === null ? collection.partitions : partitionsNamed(collection, names);
      const current = this.#catalog.loadOf(collection.id);
      if (current === undefined) return;
      const load: LoadRecord = { ...current, scope: scopeWithout(current.scope, partitions) };
      if (loadedPartitions(load, collection).length === 0) {
        await this.#catalog.commit([{ kind: 'remove-load', collectionId: collection.id }]);
      } else if (!isSameRecord(current, load)) {
        await this.#catalog.commit([{ kind: 'put-load', load }]);
      }
    });
  }

  async loadState(ref: CollectionRef, names: readonly string[]): Promise<LoadState> {
    const collection = this.#catalog.findCollection(ref);
    if (collection === undefined) return 'not-exist';
    const partitions = partitionsNamed(collection, names);
    if (partitions.length === 0) return this.#collectionState(collection);
    const states = partitions.map((partition) => this.#partitionState(collection, partition));
    return (
      states.find((state) => state === 'not-load') ?? states.find((state) => state === 'loading') ?? 'loaded'
    );
  }

  async loadProgress(ref: CollectionRef, names: readonly string[]): Promise<LoadProgress> {
    const collection = this.#catalog.collection(ref);
    const partitions = partitionsNamed(collection, names);
    if (partitions.length === 0) {
      const state = this.#collectionState(collection);
      if (state === 'not-load') throw collectionNotLoaded(collection.name);
      return { state, percent: percentOf([state]) };
    }
    const states = partitions.map((partition) => this.#partitionState(collection, partition));
    const released = partitions[states.indexOf('not-load')];
    if (released !== undefined) throw partitionNotLoaded(released.name);
    return { state: states.includes('loading') ? 'loading' : 'loaded', percent: percentOf(states) };
  }

  async loadInfo(id: CollectionId): Promise<LoadInfo | undefined> {
    const collection = this.#catalog.collectionById(id);
    const load = this.#catalog.loadOf(id);
    if (collection === undefined || load === undefined) return undefined;
    const loaded = loadedPartitions(load, collection);
    const whole = load.scope.kind === 'collection' && loaded.length === collection.partitions.length;
    return {
      collectionId: id,
      partitions: whole ? 'all' : new Set(loaded.map((partition) => partition.id)),
      fields: load.fields,
      replicaNumber: load.replicaNumber,
    };
  }

  #defaultReplicas({ databaseName }: CollectionInfo): number {
    return replicaNumberOf(this.#catalog.database(databaseName).properties) ?? 1;
  }

  async #commitLoad(load: LoadRecord): Promise<void> {
    this.#loading.set(load.collectionId, load);
    try {
      await this.#catalog.commit([{ kind: 'put-load', load }]);
    } finally {
      this.#loading.delete(load.collectionId);
    }
  }

  #collectionState(collection: CollectionInfo): LoadState {
    const states = collection.partitions.map((partition) => this.#partitionState(collection, partition));
    return (
      states.find((state) => state === 'loaded') ?? states.find((state) => state === 'loading') ?? 'not-load'
    );
  }

  #partitionState(collection: CollectionInfo, partition: PartitionInfo): LoadState {
    const load = this.#catalog.loadOf(collection.id);
    if (load !== undefined && isPartitionLoaded(load, partition.id)) return 'loaded';
    const coming = this.#loading.get(collection.id);
    return coming !== undefined && isPartitionLoaded(coming, partition.id) ? 'loading' : 'not-load';
  }

  /** Every vector field that is to be loaded needs an index. */
  #checkIndexes(collection: CollectionInfo, fields: LoadFields): void {
    const indexed = new Set(this.#catalog.indexesOf(collection.id).map(({ fieldId }) => fieldId));
    if (indexed.size === 0) throw indexNotFound('collection', collection.name);
    const unindexed = collection.schema.fields.filter(
      ({ id, dataType }) => isVector(dataType) && isFieldLoaded(fields, id) && !indexed.has(id),
    );
    if (unindexed.length === 0) return;
    const names = unindexed.map(({ name }) => name).join(' ');
    throw invalidParameter(`there is no vector index on field: [${names}], please create index firstly`);
  }
}

function recordOf(
  collection: CollectionInfo,
  current: LoadRecord | undefined,
  replicaNumber: number,
  partitions: readonly PartitionInfo[] | null,
  fields: LoadFields,
): LoadRecord {
  return {
    collectionId: collection.id,
    scope:
      partitions === null
        ? { kind: 'collection', released: new Set() }
        : scopeWith(current?.scope ?? null, partitions),
    fields: current?.fields ?? fields,
    replicaNumber: Math.max(1, replicaNumber),
  };
}

/** Each partition once, however often it is named. @throws partitionNotFound */
function partitionsNamed(collection: CollectionInfo, names: readonly string[]): readonly PartitionInfo[] {
  return [...new Set(names)].map((wanted) => {
    const partition = collection.partitions.find(({ name }) => name === wanted);
    if (partition === undefined) throw partitionNotFound(wanted);
    return partition;
  });
}

function checkSameFields(
  collection: CollectionInfo,
  current: LoadRecord,
  fields: LoadFields,
  partitions: readonly PartitionInfo[] | null,
): void {
  if (sameLoadFields(current.fields, fields)) return;
  throw unexpectedParameter(
    describeLoadFields(collection.schema, current.fields),
    describeLoadFields(collection.schema, fields),
    `can't change the load field list for loaded ${partitions === null ? 'collection' : 'partition'}`,
  );
}

function isSameRecord(left: LoadRecord, right: LoadRecord): boolean {
  if (left.replicaNumber !== right.replicaNumber || !sameLoadFields(left.fields, right.fields)) return false;
  const [leftIds, rightIds] = [exceptionsOf(left), exceptionsOf(right)];
  return (
    left.scope.kind === right.scope.kind && leftIds.size === rightIds.size && leftIds.isSubsetOf(rightIds)
  );
}

function exceptionsOf({ scope }: LoadRecord) {
  return scope.kind === 'collection' ? scope.released : scope.loaded;
}

function percentOf(states: readonly LoadState[]): number {
  const loaded = states.filter((state) => state === 'loaded').length;
  return Math.floor((100 * loaded) / states.length);
}
