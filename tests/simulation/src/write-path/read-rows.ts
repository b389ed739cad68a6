import assert from 'node:assert/strict';
import {
  type CollectionInfo,
  type Column,
  DataType,
  MilvusError,
  type PartitionId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import type { QueryWorker, ReadTask, RowLocations } from '@elanus/rpc';
import { keysOf, type TestKey, valueAt } from '@elanus/segment/testing';
import { compareKeys } from './collection-model.ts';
import type { WrittenRow } from './operation.ts';
import { FIELD, VECTOR_DIM, vectorOf } from './random-collection.ts';

export interface FoundRows {
  readonly at: Timestamp;
  readonly rows: readonly { readonly key: TestKey; readonly version: bigint }[];
}

/** Reads the rows as of a time, now when it is `null`, all of them or those of some partitions. */
export async function readRows(
  reader: QueryWorker,
  collection: CollectionInfo,
  options: { readonly at?: Timestamp | null; readonly partitionIds?: readonly PartitionId[] | null } = {},
): Promise<FoundRows> {
  const task = readTask(collection, {
    snapshot: options.at ?? null,
    partitionIds: options.partitionIds ?? null,
  });
  const { readTimestamp, keys, locations } = await reader.query({ ...task, limit: null, offset: 0 });
  const versions = await versionsOf(reader, collection, locations);
  const rows = keysOf(keys).map((key, row) => ({ key, version: versions[row]! }));
  return { at: options.at ?? readTimestamp, rows };
}

/** How many rows there are as of a time, by the count that does not look at them. */
export async function countRows(
  reader: QueryWorker,
  collection: CollectionInfo,
  at: Timestamp | null,
): Promise<number> {
  return Number(await reader.count(readTask(collection, { snapshot: at })));
}

/** Searches the newest rows and compares with the nearest of `expected`, which must be exactly those rows. */
export async function checkSearch(
  reader: QueryWorker,
  collection: CollectionInfo,
  expected: readonly WrittenRow[],
): Promise<void> {
  const query = [5, 3, 2, 1];
  const bytes = new Uint8Array(Float32Array.from(query).buffer);
  const field = collection.schema.fields.find(({ id }) => id === FIELD.vector)!;
  const limit = 10;
  const hits = await reader.search({
    ...readTask(collection, {}),
    field,
    metric: 'L2',
    queries: { dataType: DataType.FloatVector, dim: VECTOR_DIM, count: 1, bytes, offsets: null },
    limit,
    radius: null,
    rangeFilter: null,
    walk: null,
  });
  const nearest = expected
    .map(({ key, version }) => ({ key, score: squaredDistance(query, vectorOf(version)) }))
    .sort((a, b) => a.score - b.score || compareKeys(a.key, b.key))
    .slice(0, limit);
  const found = keysOf(hits.keys).map((key, at) => ({ key, score: hits.scores[at]! }));
  assert.deepEqual(found, nearest, `a search of ${collection.name} finds the nearest rows`);
}

function readTask(collection: CollectionInfo, changes: Partial<ReadTask>): ReadTask {
  return {
    collection,
    partitionIds: null,
    guarantee: TIMESTAMP_MAX,
    snapshot: null,
    filter: null,
    ...changes,
  };
}

async function versionsOf(
  reader: QueryWorker,
  collection: CollectionInfo,
  locations: RowLocations,
): Promise<readonly bigint[]> {
  const columns = await reader.fetch(collection.id, locations, [FIELD.version]);
  const column = columns.get(FIELD.version) as Column;
  return Array.from({ length: locations.rows.length }, (_, row) => valueAt(column, row) as bigint);
}

function squaredDistance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + (value - b[at]!) ** 2, 0);
}

/** Whether a moment can't be read any more. */
export function isTooOld(error: unknown): boolean {
  return error instanceof MilvusError && error.message.includes('no longer kept');
}
