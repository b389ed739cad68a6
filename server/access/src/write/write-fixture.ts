import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  collectionNotFound,
  type DatabaseId,
  DataType,
  FIRST_USER_FIELD_ID,
  type FieldId,
  type FieldSchema,
  type KeyColumn,
  MilvusError,
  type PartitionId,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { type Draft, decode, encode, type MessageName, type Messages } from '@elanus/proto';
import type { QueryTask, WriteRequest } from '@elanus/rpc';
import { type Clock, LoopShare, noMetrics, silentLogger, systemClock } from '@elanus/runtime';
import { type AccessDependencies, type CallContext, FailedAnswer, type Handlers } from '../handler.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { modelsFixture } from '../text/models-fixture.ts';
import { fieldOf } from '../wire/field-fixture.ts';
import { writeHandlers } from './write-handlers.ts';

/** A collection `books` in `default`: the given fields, one partition `_default` and one named `new`. */
export function collectionOf(
  fields: readonly FieldSchema[],
  options: Partial<CollectionInfo> & { readonly dynamic?: boolean } = {},
): CollectionInfo {
  const { dynamic, ...rest } = options;
  const withIds = fields.map((field, at) => ({ ...field, id: (FIRST_USER_FIELD_ID + at) as FieldId }));
  const meta = fieldFixture(FIRST_USER_FIELD_ID + withIds.length, '$meta', DataType.JSON, {
    isDynamic: true,
    nullable: true,
    defaultValue: '{}',
  });
  const schema = schemaFixture(dynamic ? [...withIds, meta] : withIds, { name: 'books' });
  return {
    id: 451n as CollectionId,
    databaseId: 1n as DatabaseId,
    databaseName: 'default',
    name: 'books',
    schema,
    channels: ['dml_0' as ChannelName],
    partitions: [partitionOf(1n, '_default'), partitionOf(2n, 'new')],
    consistencyLevel: 2,
    properties: [],
    duplicateKey: 'replace',
    createdTimestamp: 7n as Timestamp,
    updatedTimestamp: 7n as Timestamp,
    ...rest,
  };
}

export function partitionOf(id: bigint, name: string): CollectionInfo['partitions'][number] {
  return { id: id as PartitionId, name, createdTimestamp: 7n as Timestamp };
}

/** `id` (Int64, the key) and `vector` (FloatVector, 2 dimensions), then `more`. */
export function bookFields(...more: readonly FieldSchema[]): FieldSchema[] {
  return [
    fieldOf(DataType.Int64, { name: 'id', isPrimaryKey: true }),
    fieldOf(DataType.FloatVector, { name: 'vector', dim: 2 }),
    ...more,
  ];
}

/** The handlers over coordinators and workers that only remember what they were asked. */
export class WriteBench {
  readonly writes: WriteRequest[] = [];
  readonly queries: QueryTask[] = [];
  /** What a query for keys finds. */
  found: KeyColumn = {
    dataType: DataType.Int64,
    length: 0,
    validity: null,
    values: new BigInt64Array(0),
  };
  isLoaded = true;
  replacedRows = 0;
  takenIds = 0;
  collection: CollectionInfo;
  /** Called before a write is taken; throws to refuse it. */
  beforeWrite = () => {};
  readonly #handlers: Handlers;

  constructor(collection: CollectionInfo, clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    this.collection = collection;
    const dependencies = {
      root: {
        describeCollection: async (ref: { database: string; collection: string }) => {
          if (ref.collection === collection.name) return this.collection;
          throw collectionNotFound(ref.database, ref.collection);
        },
        allocateIds: async (count: number) => {
          this.takenIds += count;
          return 1_000n;
        },
        allocateTimestamp: async () => 50n as Timestamp,
      },
      query: {
        loadInfo: async () =>
          this.isLoaded ? { collectionId: collection.id, partitions: 'all', fields: 'all' } : undefined,
      },
      reader: {
        query: async (task: QueryTask) => {
          this.queries.push(task);
          return { readTimestamp: 50n, keys: this.found, locations: {} };
        },
      },
      streaming: {
        write: async (request: WriteRequest) => {
          this.beforeWrite();
          this.writes.push(request);
          return { timestamp: 60n, replacedRows: this.replacedRows };
        },
      },
      clock,
      share: new LoopShare(clock),
      logger: silentLogger,
      metrics: noMetrics,
      limits: DEFAULT_LIMITS,
      models: modelsFixture(),
      version: 'test',
    };
    this.#handlers = writeHandlers(dependencies as unknown as AccessDependencies);
  }

  insert(request: Draft<Messages['milvus.InsertRequest']>) {
    return this.#call('Insert', 'milvus.InsertRequest', request);
  }

  upsert(request: Draft<Messages['milvus.UpsertRequest']>) {
    return this.#call('Upsert', 'milvus.UpsertRequest', request);
  }

  delete(request: Draft<Messages['milvus.DeleteRequest']>) {
    return this.#call('Delete', 'milvus.DeleteRequest', request);
  }

  /** Encodes and decodes the request as the transport would. */
  async #call<Name extends MessageName>(
    method: 'Insert' | 'Upsert' | 'Delete',
    type: Name,
    draft: Draft<Messages[Name]>,
  ): Promise<Messages['milvus.MutationResult']> {
    const named = { collectionName: 'books', ...draft };
    const request = decode(type, encode(type, named as Draft<Messages[Name]>));
    const context: CallContext = {
      database: 'default',
      signal: new AbortController().signal,
      peer: 'test:1',
    };
    const handler = this.#handlers[method] as unknown as (
      request: object,
      context: CallContext,
    ) => Promise<Uint8Array>;
    return decode('milvus.MutationResult', await handler(request, context));
  }
}

/** What a client would be told. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const failure = error instanceof FailedAnswer ? error.failure : error;
    if (failure instanceof MilvusError) return `${failure.code}: ${failure.message}`;
    throw error;
  }
  return 'success';
}
