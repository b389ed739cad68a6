import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  type Column,
  ConsistencyLevel,
  composeTimestamp,
  type DatabaseId,
  DataType,
  type FieldId,
  type IndexId,
  type IndexInfo,
  type KeyColumn,
  type MetricType,
  type PartitionId,
  type SegmentId,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { LoadInfo, QueryTask, ReadTask, SearchHits, SearchTask } from '@elanus/rpc';
import { LoopShare, noMetrics, silentLogger, systemClock } from '@elanus/runtime';
import type { AccessDependencies, CallContext } from '../handler.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { modelsFixture } from '../text/models-fixture.ts';

const NOW_MS = 1_700_000_000_000;
export const NOW = composeTimestamp(NOW_MS);

/** id, color (nullable), vector of two dimensions, `$meta`; partitions `_default` and `other`. */
export function collectionOf(rest: Partial<CollectionInfo['schema']> = {}): CollectionInfo {
  const primaryKey = fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true });
  const fields = [
    primaryKey,
    fieldFixture(101, 'color', DataType.VarChar, { maxLength: 10, nullable: true }),
    fieldFixture(102, 'vector', DataType.FloatVector, { dim: 2 }),
  ];
  const dynamicField = fieldFixture(103, '$meta', DataType.JSON, { isDynamic: true });
  const schema = { ...schemaFixture([...fields, dynamicField], { name: 'c' }), ...rest };
  return {
    id: 7n as CollectionId,
    databaseId: 1n as DatabaseId,
    databaseName: 'default',
    name: 'c',
    schema,
    channels: ['channel' as ChannelName],
    partitions: ['_default', 'other'].map((name, at) => ({
      id: BigInt(at + 1) as PartitionId,
      name,
      createdTimestamp: 1n as Timestamp,
    })),
    consistencyLevel: ConsistencyLevel.Bounded,
    properties: [],
    duplicateKey: 'replace',
    createdTimestamp: 1n as Timestamp,
    updatedTimestamp: 1n as Timestamp,
  };
}

export function keysOf(...values: bigint[]): KeyColumn {
  return {
    dataType: DataType.Int64,
    length: values.length,
    validity: null,
    values: BigInt64Array.from(values),
  };
}

function textsOf(dataType: typeof DataType.VarChar | typeof DataType.JSON, texts: readonly string[]): Column {
  const bytes = texts.map((text) => Buffer.from(text));
  const offsets = new Uint32Array(texts.length + 1);
  for (const [at, run] of bytes.entries()) offsets[at + 1] = offsets[at]! + run.length;
  return { dataType, length: texts.length, validity: null, offsets, bytes: Buffer.concat(bytes) } as Column;
}

/** Coordinators and a worker that hold three rows and remember what they were asked. */
export class ReadFixture {
  collection = collectionOf();
  load: LoadInfo | undefined = {
    collectionId: 7n as CollectionId,
    partitions: 'all',
    fields: 'all',
    replicaNumber: 1,
  };
  metric: MetricType = 'L2';
  /** Of the field `vector`. */
  indexType = 'AUTOINDEX';
  hits: SearchHits = {
    readTimestamp: NOW,
    counts: Uint32Array.of(3),
    keys: keysOf(5n, 2n ** 53n + 1n, 9n),
    scores: Float32Array.of(0.125, 0.5, 2.26),
    locations: locationsOf(3),
  };
  /** What searches end with instead. */
  failure: Error | null = null;
  /** What the clock says. */
  monotonicMs = 0;
  searched: SearchTask | undefined;
  queried: QueryTask | undefined;
  counted: ReadTask | undefined;

  /** What the log of the collection has lost. */
  losses: readonly string[] = [];
  readonly context: CallContext = { database: 'default', signal: new AbortController().signal, peer: 'test' };

  get index(): IndexInfo {
    return {
      id: 1n as IndexId,
      collectionId: this.collection.id,
      fieldId: 102 as FieldId,
      name: 'vector',
      indexType: this.indexType,
      metricType: this.metric,
      params: [],
      createdTimestamp: 1n as Timestamp,
    };
  }

  get dependencies(): AccessDependencies {
    const parts = {
      root: { describeCollection: async () => this.collection, allocateTimestamp: async () => NOW },
      query: { loadInfo: async () => this.load },
      index: { vectorIndex: async () => this.index },
      reader: {
        search: async (task: SearchTask): Promise<SearchHits> => {
          this.searched = task;
          if (this.failure !== null) throw this.failure;
          return this.hits;
        },
        query: async (task: QueryTask) => {
          this.queried = task;
          return { readTimestamp: NOW, keys: keysOf(5n, 9n), locations: locationsOf(2) };
        },
        count: async (task: ReadTask) => {
          this.counted = task;
          return 42n;
        },
        fetch: async (_id: CollectionId, { rows }: { rows: Uint32Array }, fields: readonly FieldId[]) =>
          new Map(fields.map((id) => [id, columnOf(id, rows.length)])),
      },
      streaming: { lossesOf: () => this.losses },
      clock: { nowMs: () => NOW_MS, monotonicMs: () => this.monotonicMs },
      share: new LoopShare(systemClock),
      logger: silentLogger,
      metrics: noMetrics,
      limits: DEFAULT_LIMITS,
      models: modelsFixture(),
      version: '2.6.5',
    };
    return parts as unknown as AccessDependencies;
  }
}

function locationsOf(length: number) {
  return {
    segmentIds: [1n as SegmentId],
    segments: new Uint32Array(length),
    rows: Uint32Array.from({ length }, (_, at) => at),
  };
}

function columnOf(id: FieldId, length: number): Column {
  if (id === 101) {
    const colors = textsOf(
      DataType.VarChar,
      Array.from({ length }, (_, at) => (at === 1 ? '' : `color ${at}`)),
    );
    return { ...colors, validity: Uint8Array.from({ length }, (_, at) => (at === 1 ? 0 : 1)) } as Column;
  }
  if (id === 102) {
    const bytes = new Uint8Array(new Float32Array(length * 2).fill(1.5).buffer);
    return { dataType: DataType.FloatVector, dim: 2, length, validity: null, bytes };
  }
  return textsOf(
    DataType.JSON,
    Array.from({ length }, () => '{"big":9007199254740993,"other":1}'),
  );
}
