import {
  type CollectionInfo,
  type CollectionSchema,
  type FieldId,
  functionOfOutput,
  type IndexId,
  type IndexInfo,
  invalidParameter,
  type KeyValue,
  MilvusError,
  type PartitionId,
} from '@elanus/model';
import type {
  CollectionChange,
  CollectionRef,
  CreateIndex,
  IndexWorker,
  PropertyChange,
  StreamingWorker,
} from '@elanus/rpc';
import type { TimestampSource } from '@elanus/runtime';
import type { Catalog } from '../catalog/catalog.ts';
import type { CatalogChange } from '../catalog/catalog-change.ts';
import { defineIndex, indexOf } from '../index/index-definition.ts';
import { duplicateKeyPolicy, timezoneOf, withTimezone } from './collection-properties.ts';
import { emptiedCollection } from './emptied-collection.ts';
import type { IdAllocator } from './id-allocator.ts';

export interface CollectionChangesOptions {
  readonly catalog: Catalog;
  readonly timestamps: TimestampSource;
  readonly ids: IdAllocator;
  readonly streaming: StreamingWorker;
  readonly indexing: IndexWorker;
}

/** Properties that say where loaded rows lie. */
const STORAGE_PROPERTIES = ['mmap.enabled', 'warmup'];

/** Changes of what a collection is: its fields, its properties, and that it has rows. */
export class CollectionChanges {
  readonly #options: CollectionChangesOptions;

  constructor(options: CollectionChangesOptions) {
    this.#options = options;
  }

  /**
   * Rows are not touched: a field that is new to them reads as its default value or null, one that is dropped is passed
   * over. What a new function makes of them is made in the background. A function's index goes with its field.
   */
  async alter(ref: CollectionRef, change: CollectionChange): Promise<'done' | 'stale'> {
    const { catalog, streaming, indexing, timestamps } = this.#options;
    return await catalog.withCollection(ref, async (collection) => {
      const schema = change.schema ?? collection.schema;
      if (change.schema !== undefined && schema.version !== collection.schema.version + 1) return 'stale';
      const dropped = fieldIds(collection.schema).filter((id) => !fieldIds(schema).includes(id));
      const droppedIndexes = this.#indexesOfFunctions(collection, dropped);
      const properties = this.#propertiesAfter(collection, change.properties);
      const changed: CollectionInfo = {
        ...collection,
        schema,
        properties,
        duplicateKey: duplicateKeyPolicy(properties),
        updatedTimestamp: timestamps.next(),
      };
      const index = change.index === undefined ? null : await this.#newIndex(changed, change.index);
      await catalog.commit([
        { kind: 'put-collection', collection: changed },
        ...this.#loadOfNewFields(collection, schema),
        ...(index === null ? [] : [{ kind: 'put-index', index } as const]),
        ...droppedIndexes.flatMap((gone): readonly CatalogChange[] => [
          { kind: 'remove-index', index: gone },
          ...catalog.files.removalOfIndex(collection.id, gone.id),
        ]),
      ]);
      for (const gone of droppedIndexes) await indexing.closeIndex(gone);
      await streaming.updateCollection(changed);
      if (index !== null) await indexing.openIndex(index);
      return 'done';
    });
  }

  /** Deletes every row: partitions go, and others with the same names come in the same transaction. */
  async empty(ref: CollectionRef): Promise<void> {
    const { catalog, streaming, ids } = this.#options;
    await catalog.withCollection(ref, async (collection) => {
      const { id, partitions } = collection;
      const firstId = (await ids.allocate(partitions.length)) as PartitionId;
      const emptied = emptiedCollection(collection, catalog.loadOf(id), firstId);
      const segments = catalog.files.of(id).segments.map((segment) => segment.id);
      await catalog.commit([
        { kind: 'put-collection', collection: emptied.collection },
        ...emptied.load,
        ...catalog.files.removalOf(id, segments),
      ]);
      await streaming.updateCollection(emptied.collection);
      // What a crash leaves undone is done by the replay, which passes over rows of partitions that are no more.
      const dropped = partitions.map((partition) => partition.id);
      await streaming.dropPartitions(id, dropped);
    });
  }

  /** @throws MilvusError when the parameters do not fit the field, or the name is taken */
  async #newIndex({ id: collectionId, schema }: CollectionInfo, request: CreateIndex): Promise<IndexInfo> {
    const { catalog, ids, timestamps } = this.#options;
    const definition = defineIndex(schema, request);
    const name = request.indexName || definition.defaultName;
    if (catalog.indexesOf(collectionId).some((index) => index.name === name))
      throw invalidParameter(`index name ${name} already exists in collection`);
    const id = (await ids.allocate(1)) as IndexId;
    return indexOf(definition, { id, name, collectionId, createdTimestamp: timestamps.next() });
  }

  /** The indexes of dropped fields that functions make. @throws MilvusError 1100 when another field has one */
  #indexesOfFunctions({ id, schema }: CollectionInfo, dropped: readonly FieldId[]): readonly IndexInfo[] {
    const indexes = this.#options.catalog.indexesOf(id).filter(({ fieldId }) => dropped.includes(fieldId));
    const kept = indexes.find(({ fieldId }) => functionOfOutput(schema, fieldId) === undefined);
    if (kept === undefined) return indexes;
    const field = schema.fields.find((each) => each.id === kept.fieldId);
    throw invalidParameter(
      `cannot drop field ${field?.name ?? kept.fieldId}: it has the index ${kept.name}, please drop that first`,
    );
  }

  #propertiesAfter(collection: CollectionInfo, change: PropertyChange | undefined): readonly KeyValue[] {
    if (change === undefined) return collection.properties;
    const { set, remove } = change;
    const touched = [...set.map(({ key }) => key), ...remove];
    const isLoaded = this.#options.catalog.loadOf(collection.id) !== undefined;
    if (isLoaded && touched.some((key) => STORAGE_PROPERTIES.includes(key))) {
      throw new MilvusError('can not alter mmap properties if collection loaded', { code: 104 });
    }
    const kept = collection.properties.filter(({ key }) => !touched.includes(key));
    const { properties } = this.#options.catalog.database(collection.databaseName);
    return withTimezone([...kept, ...set], timezoneOf(properties));
  }

  /** A new field can be read at once, also where only some fields were loaded. */
  #loadOfNewFields(collection: CollectionInfo, schema: CollectionSchema): readonly CatalogChange[] {
    const load = this.#options.catalog.loadOf(collection.id);
    if (load === undefined || load.fields === 'all') return [];
    const known = fieldIds(collection.schema);
    const added = fieldIds(schema).filter((id) => !known.includes(id));
    if (added.length === 0) return [];
    return [{ kind: 'put-load', load: { ...load, fields: new Set([...load.fields, ...added]) } }];
  }
}

function fieldIds({ fields, dynamicField }: CollectionSchema): readonly FieldId[] {
  return [...fields, ...(dynamicField === null ? [] : [dynamicField])].map(({ id }) => id);
}
