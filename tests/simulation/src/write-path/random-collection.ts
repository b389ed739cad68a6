import {
  type ChannelName,
  type CollectionInfo,
  type CollectionSchema,
  type Column,
  ConsistencyLevel,
  DataType,
  type FieldId,
  type PartitionId,
  type RowBatch,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { CreateCollection, WriteRequest } from '@elanus/rpc';
import type { Random } from '@elanus/runtime';
import { keyColumn, type TestKey } from '@elanus/segment/testing';
import type { Change, WrittenRow } from './operation.ts';

/** Ids of the fields that every collection here has. */
export const FIELD = { key: 100 as FieldId, version: 101 as FieldId, vector: 102 as FieldId };
export const VECTOR_DIM = 4;
/** So few that writes meet. */
const KEYS_COUNT = 40;

/** A new collection: its keys, shards and duplicate policy are drawn. */
export function randomCollection(name: string, random: Random): CreateCollection {
  const keyType = random.chance(0.5) ? DataType.Int64 : DataType.VarChar;
  const duplicateKey = random.chance(0.5) ? 'replace' : random.chance(0.5) ? 'reject' : 'keep';
  return {
    database: 'default',
    schema: schemaOf(name, keyType),
    shardsNum: 1 + random.below(4),
    partitionsNum: 1,
    consistencyLevel: ConsistencyLevel.Strong,
    properties: [{ key: 'elanus.duplicate_key', value: duplicateKey }],
  };
}

function schemaOf(name: string, keyType: DataType): CollectionSchema {
  const isText = keyType === DataType.VarChar;
  const fields = [
    fieldFixture(FIELD.key, 'key', keyType, { isPrimaryKey: true, maxLength: isText ? 64 : null }),
    fieldFixture(FIELD.version, 'version', DataType.Int64),
    fieldFixture(FIELD.vector, 'vector', DataType.FloatVector, { dim: VECTOR_DIM }),
  ];
  return schemaFixture(fields, { name });
}

/** Draws a write to a collection; its rows have `firstVersion` and those that follow. */
export function randomChange(collection: CollectionInfo, random: Random, firstVersion: bigint): Change {
  const draw = random.float();
  if (draw < 0.25) {
    const keys = Array.from({ length: 1 + random.below(8) }, () => randomKey(collection, random));
    return {
      kind: 'delete',
      keys,
      partitionIds: random.chance(0.6) ? null : [randomPartition(collection, random)],
    };
  }
  const count = 1 + random.below(random.chance(0.05) ? 250 : 10);
  const onePartition = randomPartition(collection, random);
  const staysInOne = random.chance(0.6);
  const rows = Array.from({ length: count }, (_, at) => ({
    key: randomKey(collection, random),
    version: firstVersion + BigInt(at),
    partitionId: staysInOne ? onePartition : randomPartition(collection, random),
  }));
  return { kind: draw < 0.65 ? 'insert' : 'upsert', rows };
}

function randomKey({ schema }: CollectionInfo, random: Random): TestKey {
  const number = random.below(KEYS_COUNT);
  return schema.primaryKey.dataType === DataType.Int64 ? BigInt(number - 10) : `key ${number}`;
}

function randomPartition({ partitions }: CollectionInfo, random: Random): PartitionId {
  return partitions[random.below(partitions.length)]!.id;
}

/**
 * The change as access would hand it to the worker, split by shard and partition, and the change as it is
 * then: its rows in the order in which the worker takes them.
 */
export function requestOf(
  change: Change,
  collection: CollectionInfo,
): { readonly request: WriteRequest; readonly change: Change } {
  if (change.kind === 'delete') {
    const { partitionIds } = change;
    const byChannel = Map.groupBy(change.keys, (key) => channelOf(key, collection));
    const parts = [...byChannel].map(([channel, keys]) => {
      return { channel, partitionIds, keys: keyColumn(keys, collection.schema.primaryKey.dataType) };
    });
    return { request: { kind: 'delete', collection, parts }, change };
  }
  const groups = Map.groupBy(change.rows, (row) => `${channelOf(row.key, collection)} ${row.partitionId}`);
  const parts = [...groups.values()].map((rows) => {
    const { key, partitionId } = rows[0]!;
    return { channel: channelOf(key, collection), partitionId, batch: batchOf(rows, collection) };
  });
  return {
    request: { kind: change.kind, collection, parts },
    change: { kind: change.kind, rows: [...groups.values()].flat() },
  };
}

/** Any rule does, as long as a key always goes to the same shard. */
function channelOf(key: TestKey, { channels }: CollectionInfo): ChannelName {
  const number = Number(String(key).replace(/\D/g, ''));
  return channels[number % channels.length]!;
}

function batchOf(rows: readonly WrittenRow[], { schema }: CollectionInfo): RowBatch {
  const { length } = rows;
  const keys = rows.map(({ key }) => key);
  const values = BigInt64Array.from(rows, ({ version }) => version);
  const vectors = Float32Array.from(rows.flatMap(({ version }) => vectorOf(version)));
  const bytes = new Uint8Array(vectors.buffer);
  const columns = new Map<FieldId, Column>([
    [FIELD.key, keyColumn(keys, schema.primaryKey.dataType)],
    [FIELD.version, { dataType: DataType.Int64, length, validity: null, values }],
    [FIELD.vector, { dataType: DataType.FloatVector, dim: VECTOR_DIM, length, validity: null, bytes }],
  ]);
  return { length, columns };
}

/** Small whole numbers, so that distances are exact. */
export function vectorOf(version: bigint): readonly number[] {
  const number = Number(version);
  return [number % 11, number % 7, number % 5, number % 3];
}
