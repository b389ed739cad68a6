import { type CollectionInfo, isRowsChanged, type RowBatch, unexpectedParameter } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { InsertPart, ReadOptions, WriteResult } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { keyAt, keyReader, takeLocations } from '../read/hits.ts';
import { OWN_VALUE, planOwnFilter } from '../read/own-filter.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { encodeMutationResult } from '../wire/mutation-result.ts';
import {
  completeRows,
  fieldsToKeep,
  type KnownRows,
  type PartialRows,
  readPartialRows,
} from './partial-rows.ts';
import { splitRows } from './split-rows.ts';
import { defaultPartition, namedPartition } from './write-target.ts';

/** How often an update is made again because others have written the same rows meanwhile. */
const ATTEMPTS_MAX = 20;

/**
 * Updates some fields of rows and leaves the others as they are: reads the rows, merges, and writes them whole, unless
 * one has changed meanwhile: then it begins again, so that no write gets lost.
 */
export async function upsertPartially(
  dependencies: AccessDependencies,
  collection: CollectionInfo,
  request: Methods['Upsert']['request'],
  options: ReadOptions,
): Promise<Uint8Array> {
  const { numRows, fieldsData, fieldOps, partitionName } = request;
  const { share, limits } = dependencies;
  if (numRows === 0) throw unexpectedParameter('invalid num_rows', '0', 'num_rows should be greater than 0');
  const partition = namedPartition(collection, partitionName, limits) ?? defaultPartition(collection);
  const partial = await runInSlices(readPartialRows(fieldsData, numRows, collection, fieldOps), share);
  const { timestamp, replacedRows } = await untilUnchanged(async () => {
    const { known, readAt } = await knownRows(dependencies, collection, partial, options);
    const batches = await completeRows(dependencies, collection, partial, known, options);
    const parts: InsertPart[] = [];
    for (const batch of batches) parts.push(...(await partsOf(dependencies, collection, batch, partition)));
    return await dependencies.streaming.write({ kind: 'upsert', collection, parts, unchangedSince: readAt });
  });
  const { keys } = partial;
  const counts = { insertedRows: keys.length, deletedRows: replacedRows, upsertedRows: keys.length };
  return await runInSlices(encodeMutationResult({ keys, ...counts, timestamp }), share);
}

async function untilUnchanged(attempt: () => Promise<WriteResult>): Promise<WriteResult> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRowsChanged(error) || count === ATTEMPTS_MAX) throw error;
    }
  }
}

async function partsOf(
  { share }: Pick<AccessDependencies, 'share'>,
  collection: CollectionInfo,
  batch: RowBatch,
  partition: ReturnType<typeof defaultPartition>,
): Promise<readonly InsertPart[]> {
  return await runInSlices(splitRows(batch, collection, partition, 'last'), share);
}

/** Those of the rows that are there, with the fields that they keep, and as of when. */
async function knownRows(
  dependencies: AccessDependencies,
  collection: CollectionInfo,
  partial: PartialRows,
  options: ReadOptions,
): Promise<{ readonly known: KnownRows; readonly readAt: WriteResult['timestamp'] }> {
  const { root, reader } = dependencies;
  const { schema } = collection;
  const sentKey = keyReader(partial.keys);
  const name = `${OWN_VALUE}keys`;
  const keys = Array.from({ length: partial.keys.length }, (_, row) => keyAt(partial.keys, row));
  const condition = { text: `${schema.primaryKey.name} in {${name}}`, values: new Map([[name, keys]]) };
  const filter = await planOwnFilter(dependencies, schema, condition);
  const guarantee = await root.allocateTimestamp();
  const task = { collection, partitionIds: null, guarantee, snapshot: null, filter };
  const rows = await reader.query({ ...task, limit: null, offset: 0 }, options);
  const placeOf = new Map(keys.map((_, place) => [sentKey(place), place]));
  const foundKey = keyReader(rows.keys);
  // Of a key that a collection keeps several rows of, the newest is the last.
  const rowOfPlace = new Map<number, number>();
  for (let row = 0; row < rows.keys.length; row += 1) rowOfPlace.set(placeOf.get(foundKey(row))!, row);
  const positions = Uint32Array.from(rowOfPlace.keys());
  const locations = takeLocations(rows.locations, Uint32Array.from(rowOfPlace.values()));
  const columns = await reader.fetch(collection.id, locations, fieldsToKeep(collection, partial));
  return { known: { positions, columns }, readAt: rows.readTimestamp };
}
