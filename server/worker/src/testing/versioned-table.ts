import assert from 'node:assert/strict';
import {
  type CollectionInfo,
  type Column,
  DataType,
  denseVectorBytes,
  type FieldId,
  fieldById,
  type Int64Column,
  type PartitionId,
  type RowBatch,
  type StagedSegment,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { InsertPart, ReadTask, WriteResult } from '@elanus/rpc';
import { keyColumn, keysOf } from '@elanus/segment/testing';
import { collectionFixture } from './collection-fixture.ts';
import { channelOf, readTask, type Workers } from './open-workers.ts';

const ID = 100;
const VERSION = 101 as FieldId;
const VECTOR = 102 as FieldId;
const DIM = 4;
const schema = schemaFixture([
  fieldFixture(ID, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(VERSION, 'version', DataType.Int64),
  fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: DIM }),
]);

/** A collection of two shards and two partitions. A row's vector begins with its version, which no two writes share. */
export const VERSIONED_COLLECTION: CollectionInfo = collectionFixture({ schema, shards: 2, partitions: 2 });

/** Writes to the collection and remembers what it should hold. */
export class VersionedTable {
  workers: Workers;
  readonly expected = new Map<bigint, bigint>();
  #nextVersion = 1n;

  constructor(workers: Workers) {
    this.workers = workers;
  }

  /** Rows with these keys, in one write, half of them in each partition. */
  async put(keys: readonly bigint[]): Promise<WriteResult> {
    const version = this.#nextVersion++;
    const written = await this.workers.streaming.write({
      kind: 'upsert',
      collection: VERSIONED_COLLECTION,
      parts: partsOf(keys, version),
    });
    for (const key of keys) this.expected.set(key, version);
    return written;
  }

  /** Files with rows of these keys, which count for nothing until `adopt`. */
  async stage(keys: readonly bigint[], filesEvery = 7): Promise<StagedRowsOfTable> {
    const version = this.#nextVersion++;
    const stage = this.workers.streaming.stage(VERSIONED_COLLECTION);
    const segments: StagedSegment[] = [];
    for (let at = 0; at < keys.length; at += filesEvery) {
      stage.add(partsOf(keys.slice(at, at + filesEvery), version));
      segments.push(...(await stage.flush(new AbortController().signal)));
    }
    return { keys, version, segments };
  }

  async adopt({ keys, version, segments }: StagedRowsOfTable): Promise<WriteResult> {
    const written = await this.workers.streaming.adopt(VERSIONED_COLLECTION, segments);
    for (const key of keys) this.expected.set(key, version);
    return written;
  }

  async remove(keys: readonly bigint[]): Promise<WriteResult> {
    const groups = Map.groupBy(keys, (key) => channelOf(key, VERSIONED_COLLECTION));
    const parts = [...groups].map(([channel, own]) => ({
      channel,
      partitionIds: null,
      keys: keyColumn(own, DataType.Int64),
    }));
    const written = await this.workers.streaming.write({
      kind: 'delete',
      collection: VERSIONED_COLLECTION,
      parts,
    });
    for (const key of keys) this.expected.delete(key);
    return written;
  }

  /** What a query finds: the version of each key. No key is found twice. */
  async read(): Promise<ReadonlyMap<bigint, bigint>> {
    return await this.#read({});
  }

  /** As `read`, of an earlier moment. */
  async readAsOf(at: bigint): Promise<ReadonlyMap<bigint, bigint>> {
    return await this.#read({ snapshot: at as Timestamp });
  }

  async #read(changes: Partial<ReadTask>): Promise<ReadonlyMap<bigint, bigint>> {
    const { query } = this.workers;
    const { keys, locations } = await query.query({
      ...readTask(VERSIONED_COLLECTION, changes),
      limit: null,
      offset: 0,
    });
    const columns = await query.fetch(VERSIONED_COLLECTION.id, locations, [VERSION]);
    const versions = (columns.get(VERSION) as Int64Column).values;
    const found = new Map(keysOf(keys).map((key, row) => [key as bigint, versions[row]!]));
    assert.equal(found.size, keys.length, 'no key is found twice');
    return found;
  }

  /** Compares all reads with what there should be. */
  async check(occasion: string): Promise<void> {
    const found = await this.read();
    const sorted = [...this.expected].sort(([left], [right]) => (left < right ? -1 : 1));
    assert.deepEqual([...found], sorted, `the rows, ${occasion}`);
    const count = await this.workers.query.count(readTask(VERSIONED_COLLECTION));
    assert.equal(count, BigInt(sorted.length), `the count, ${occasion}`);
    await this.#checkSearch(occasion);
  }

  /** The nearest of the largest version is the row that has it. */
  async #checkSearch(occasion: string): Promise<void> {
    const newest = [...this.expected.values()].reduce((max, version) => (version > max ? version : max), 0n);
    const hits = await this.workers.query.search({
      ...readTask(VERSIONED_COLLECTION),
      field: fieldById(schema, VECTOR)!,
      metric: 'L2',
      queries: {
        dataType: DataType.FloatVector,
        dim: DIM,
        count: 1,
        bytes: vectorsOf(1, newest),
        offsets: null,
      },
      limit: 1,
      radius: null,
      rangeFilter: null,
      walk: null,
    });
    const [key] = keysOf(hits.keys) as bigint[];
    if (this.expected.size === 0) return assert.equal(key, undefined, occasion);
    assert.equal(this.expected.get(key!), newest, `the nearest row, ${occasion}`);
  }
}

/** Rows in files, and what they say. */
export interface StagedRowsOfTable {
  readonly keys: readonly bigint[];
  readonly version: bigint;
  readonly segments: readonly StagedSegment[];
}

/** Half of the rows in each partition. */
function partsOf(keys: readonly bigint[], version: bigint): InsertPart[] {
  const partitionOf = (key: bigint) => (1n + ((key / 2n) % 2n)) as PartitionId;
  const groups = Map.groupBy(keys, (key) => `${channelOf(key, VERSIONED_COLLECTION)} ${partitionOf(key)}`);
  return [...groups.values()].map((own) => ({
    channel: channelOf(own[0]!, VERSIONED_COLLECTION),
    partitionId: partitionOf(own[0]!),
    batch: batchOf(own, version),
  }));
}

function batchOf(keys: readonly bigint[], version: bigint): RowBatch {
  const { length } = keys;
  const values = new BigInt64Array(length).fill(version);
  const vectors = { dataType: DataType.FloatVector, length, validity: null, dim: DIM } as const;
  return {
    length,
    columns: new Map<FieldId, Column>([
      [ID as FieldId, keyColumn(keys, DataType.Int64)],
      [VERSION, { dataType: DataType.Int64, length, validity: null, values }],
      [VECTOR, { ...vectors, bytes: vectorsOf(length, version) }],
    ]),
  };
}

function vectorsOf(count: number, version: bigint): Uint8Array {
  const size = denseVectorBytes(DataType.FloatVector, DIM) / 4;
  const values = new Float32Array(count * size);
  for (let at = 0; at < values.length; at += size) values[at] = Number(version);
  return new Uint8Array(values.buffer);
}

/** Whole numbers from `from` up to `to`. */
export function keyRange(from: number, to: number): bigint[] {
  return Array.from({ length: to - from }, (_, i) => BigInt(from + i));
}
