import {
  assert,
  type CollectionId,
  type CollectionInfo,
  DataType,
  type FieldId,
  type FieldSchema,
  fieldById,
  type IndexId,
  type IndexInfo,
  indexNotFound,
  isVector,
  type KeyValue,
  MilvusError,
  refused,
  TIMESTAMP_MIN,
  type Timestamp,
} from '@elanus/model';
import type {
  CollectionRef,
  CreateIndex,
  DataCoordinator,
  IndexCoordinator,
  IndexDescription,
  IndexWorker,
  PropertyChange,
} from '@elanus/rpc';
import type { TimestampSource } from '@elanus/runtime';
import type { Catalog } from '../catalog/catalog.ts';
import type { IdAllocator } from '../root/id-allocator.ts';
import { defineIndex, type IndexDefinition, indexOf, STORAGE_PARAMS } from './index-definition.ts';
import { formatJsonPath, parseJsonPath } from './json-path.ts';

export interface IndexCoordinatorOptions {
  readonly catalog: Catalog;
  readonly timestamps: TimestampSource;
  readonly ids: IdAllocator;
  readonly data: DataCoordinator;
  readonly indexing: IndexWorker;
}

/**
 * Index definitions, and how far the worker has come with building them. Searches never wait for a build: they
 * compare with the rows that have no index yet, and with all rows where the type of index is never built.
 */
export class CatalogIndexCoordinator implements IndexCoordinator {
  readonly #catalog: Catalog;
  readonly #timestamps: TimestampSource;
  readonly #ids: IdAllocator;
  readonly #data: DataCoordinator;
  readonly #indexing: IndexWorker;

  constructor(options: IndexCoordinatorOptions) {
    this.#catalog = options.catalog;
    this.#timestamps = options.timestamps;
    this.#ids = options.ids;
    this.#data = options.data;
    this.#indexing = options.indexing;
  }

  /** Has the worker build what the catalog knows, after a start. */
  async resume(): Promise<void> {
    for (const { id } of this.#catalog.collections())
      for (const index of this.#catalog.indexesOf(id)) await this.#indexing.openIndex(index);
  }

  async createIndex(ref: CollectionRef, request: CreateIndex): Promise<void> {
    await this.#catalog.withCollection(ref, async (collection) => {
      const definition = defineIndex(collection.schema, request);
      const indexes = this.#catalog.indexesOf(collection.id);
      const onSame = indexes.filter((index) => indexesSame(collection, index, definition));
      const name = request.indexName || (onSame.length === 1 ? onSame[0]!.name : definition.defaultName);
      const rival = onSame[0] ?? indexes.find((index) => index.name === name);
      if (rival !== undefined) {
        if (rival.name === name && onSame.includes(rival) && sameParams(rival.params, definition.params))
          return;
        throw refused('CreateIndex failed: at most one distinct index is allowed per field');
      }
      const index = indexOf(definition, {
        id: (await this.#ids.allocate(1)) as IndexId,
        collectionId: collection.id,
        name,
        createdTimestamp: this.#timestamps.next(),
      });
      await this.#catalog.commit([{ kind: 'put-index', index }]);
      await this.#indexing.openIndex(index);
    });
  }

  async describeIndexes(
    ref: CollectionRef,
    indexName: string,
    at: Timestamp = TIMESTAMP_MIN,
  ): Promise<readonly IndexDescription[]> {
    const collection = this.#catalog.collection(ref);
    const indexes = this.#catalog.indexesOf(collection.id);
    const wanted = indexName === '' ? indexes : indexes.filter(({ name }) => name === indexName);
    if (wanted.length === 0) {
      throw indexName === ''
        ? indexNotFound('collection', ref.collection)
        : indexNotFound('indexName', indexName);
    }
    const totalRows = await this.#data.countRows(ref, null);
    return await Promise.all(wanted.map((index) => this.#describe(collection, index, { totalRows, at })));
  }

  /** Rows written after the index was made, and after `at`, do not keep it from being finished. */
  async #describe(
    collection: CollectionInfo,
    index: IndexInfo,
    { totalRows, at }: { readonly totalRows: bigint; readonly at: Timestamp },
  ): Promise<IndexDescription> {
    const { createdTimestamp } = index;
    const until = at > createdTimestamp ? at : createdTimestamp;
    const progress = await this.#indexing.indexProgress(index, until);
    const pendingRows = progress.pendingRows < totalRows ? progress.pendingRows : totalRows;
    const isFinished = progress.pendingRowsThen === 0n;
    return {
      index,
      fieldName: describedFieldName(collection, index),
      state: isFinished ? 'finished' : progress.failReason === null ? 'in-progress' : 'failed',
      indexedRows: totalRows - pendingRows,
      totalRows,
      pendingRows,
      failReason: isFinished ? '' : (progress.failReason ?? ''),
    };
  }

  async alterIndex(ref: CollectionRef, indexName: string, { set, remove }: PropertyChange): Promise<void> {
    await this.#catalog.withCollection(ref, async (collection) => {
      const index = this.#catalog.indexesOf(collection.id).find(({ name }) => name === indexName);
      if (index === undefined) throw indexNotFound('indexName', indexName);
      if (this.#catalog.loadOf(collection.id) !== undefined) throw loadedCollection(ref);
      const touched = [...set.map(({ key }) => key), ...remove];
      const params = [...index.params.filter(({ key }) => !touched.includes(key)), ...set];
      await this.#catalog.commit([{ kind: 'put-index', index: { ...index, params } }]);
    });
  }

  async dropIndex(ref: CollectionRef, indexName: string): Promise<void> {
    await this.#catalog.withCollection(ref, async (collection) => {
      const indexes = this.#catalog.indexesOf(collection.id);
      if (indexName === '' && indexes.length > 1) {
        throw new MilvusError('index duplicates[indexName=]', { code: 702, inputError: true });
      }
      const index = indexName === '' ? indexes[0] : indexes.find(({ name }) => name === indexName);
      if (index === undefined) return;
      if (index.metricType !== null && this.#catalog.loadOf(collection.id) !== undefined) {
        throw refused(
          `vector index cannot be dropped on loaded collection: ${collection.name}, please release it first`,
        );
      }
      const files = this.#catalog.files.removalOfIndex(collection.id, index.id);
      await this.#catalog.commit([{ kind: 'remove-index', index }, ...files]);
      await this.#indexing.closeIndex(index);
    });
  }

  async vectorIndex(id: CollectionId, field: FieldId): Promise<IndexInfo | undefined> {
    const schema = this.#catalog.collectionById(id)?.schema;
    const dataType = schema === undefined ? undefined : fieldById(schema, field)?.dataType;
    if (dataType === undefined || !(isVector(dataType) || dataType === DataType.ArrayOfVector))
      return undefined;
    return this.#catalog.indexesOf(id).find(({ fieldId }) => fieldId === field);
  }
}

/** Whether `index` is on the very thing that `definition` is about: the field, or the path within it. */
function indexesSame(collection: CollectionInfo, index: IndexInfo, definition: IndexDefinition): boolean {
  if (index.fieldId !== definition.field.id) return false;
  const field = fieldById(collection.schema, index.fieldId);
  if (field?.dataType !== DataType.JSON) return true;
  return formatJsonPath(jsonStepsOf(index, field)) === definition.jsonPath;
}

/** Of an index within `$meta` the undeclared key, else the field. */
function describedFieldName(collection: CollectionInfo, index: IndexInfo): string {
  const field = fieldById(collection.schema, index.fieldId);
  assert(field !== undefined, `the field ${index.fieldId} of an index exists`);
  return field.isDynamic ? (jsonStepsOf(index, field)[0] ?? field.name) : field.name;
}

function jsonStepsOf(index: IndexInfo, field: FieldSchema): readonly string[] {
  const path = index.params.find(({ key }) => key === 'json_path')?.value ?? field.name;
  return parseJsonPath(path, field);
}

/** Whether both say the same of what is built: how it is kept may have been altered since. */
function sameParams(left: readonly KeyValue[], right: readonly KeyValue[]): boolean {
  const ofBuild = ({ key }: KeyValue) => !STORAGE_PARAMS.includes(key);
  const values = new Map(left.filter(ofBuild).map(({ key, value }) => [key, value]));
  const wanted = right.filter(ofBuild);
  return values.size === wanted.length && wanted.every(({ key, value }) => values.get(key) === value);
}

function loadedCollection({ collection }: CollectionRef): MilvusError {
  return new MilvusError(
    `can't alter index on loaded collection, please release the collection first: collection already loaded[collection=${collection}]`,
    { code: 104 },
  );
}
