import { type Predicate, primaryKeysOf } from '@elanus/expr';
import {
  assert,
  type CollectionInfo,
  collectionNotLoaded,
  invalidParameter,
  type KeyColumn,
  MilvusError,
  type PartitionId,
  partitionNotLoaded,
  type Timestamp,
  unexpectedParameter,
} from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { DeletePart, LoadInfo } from '@elanus/rpc';
import { collectionRef } from '../definition/collection-ref.ts';
import { timeZoneOf } from '../definition/timezone.ts';
import type { AccessDependencies, CallContext, Handler } from '../handler.ts';
import { requireLoaded } from '../read/read-target.ts';
import { planServedFilter } from '../read/served-filter.ts';
import { gatherRows } from '../rows/gather-rows.ts';
import { runAtOnce, runInSlices, type Work } from '../rows/sliced-work.ts';
import { encodeMutationResult } from '../wire/mutation-result.ts';
import { bucketsOf } from './key-hash.ts';
import { namedPartition } from './write-target.ts';

type DeleteRequest = Methods['Delete']['request'];

/** Keys of one write: more are deleted in several, one after the other. */
const KEYS_MAX = 1_000_000;

/**
 * Delete: keys that the filter lists go at once; other filters are read first, at the request's time, from a
 * loaded collection. The answer counts the listed keys, or the rows that were found.
 */
export function deleteHandler(dependencies: AccessDependencies): Handler<'Delete'> {
  return async (request, context) => {
    const { root, limits } = dependencies;
    const ref = collectionRef(context.database, request.collectionName, limits);
    const collection = await root.describeCollection(ref);
    const partition = namedPartition(collection, request.partitionName, limits);
    const partitionIds = partition === null ? null : [partition];
    const filter = await planDelete(dependencies, collection, request);
    const keys =
      primaryKeysOf(filter) ??
      (await findKeys(dependencies, { collection, partitionIds, filter, request }, context));
    const timestamp = await deleteKeys(dependencies, collection, partitionIds, keys);
    const reply = {
      keys: null,
      insertedRows: 0,
      deletedRows: keys.length,
      upsertedRows: 0,
      timestamp,
    };
    return runAtOnce(encodeMutationResult(reply));
  };
}

async function planDelete(
  dependencies: AccessDependencies,
  collection: CollectionInfo,
  request: DeleteRequest,
): Promise<Predicate> {
  const { schema } = collection;
  const timeZone = timeZoneOf(collection);
  const empty = unexpectedParameter('valid expr', 'empty expr', 'invalid expression');
  if (request.expr.trim() === '') throw empty;
  try {
    const { expr, exprTemplateValues } = request;
    const filter = await planServedFilter(dependencies, schema, expr, exprTemplateValues, timeZone);
    assert(filter !== null, 'a filter that is not blank is a predicate');
    // Nobody could get back what was found by accident.
    if (!filter.isExact) throw invalidParameter('membership_match of type bloom is not supported in delete');
    return filter;
  } catch (error) {
    throw error instanceof MilvusError ? error.within('failed to create delete plan') : error;
  }
}

interface KeySearch {
  readonly collection: CollectionInfo;
  readonly partitionIds: readonly PartitionId[] | null;
  readonly filter: Predicate;
  readonly request: DeleteRequest;
}

/** The keys of all rows that match now. */
async function findKeys(
  { root, query, reader }: AccessDependencies,
  { collection, partitionIds, filter, request }: KeySearch,
  { signal }: CallContext,
): Promise<KeyColumn> {
  const load = await query.loadInfo(collection.id);
  if (load === undefined) throw collectionNotLoaded(request.collectionName);
  if (partitionIds !== null) requirePartition(load, partitionIds[0]!, request.partitionName);
  requireLoaded({ collection, load, partitionIds }, filter.fieldIds);
  const readable = load.partitions === 'all' ? null : [...load.partitions];
  const guarantee = await root.allocateTimestamp();
  const task = { collection, partitionIds: partitionIds ?? readable, guarantee, snapshot: null, filter };
  const { keys } = await reader.query({ ...task, limit: null, offset: 0 }, { signal });
  return keys;
}

function requirePartition(load: LoadInfo, partition: PartitionId, name: string): void {
  if (load.partitions !== 'all' && !load.partitions.has(partition)) throw partitionNotLoaded(name);
}

async function deleteKeys(
  { root, streaming, share }: AccessDependencies,
  collection: CollectionInfo,
  partitionIds: readonly PartitionId[] | null,
  keys: KeyColumn,
): Promise<Timestamp> {
  if (keys.length === 0) return await root.allocateTimestamp();
  let timestamp: Timestamp | undefined;
  for (let first = 0; first < keys.length; first += KEYS_MAX) {
    const end = Math.min(keys.length, first + KEYS_MAX);
    const parts = await runInSlices(splitKeys(keys, first, end, collection, partitionIds), share);
    timestamp = (await streaming.write({ kind: 'delete', collection, parts })).timestamp;
  }
  return timestamp!;
}

function* splitKeys(
  keys: KeyColumn,
  first: number,
  end: number,
  { channels }: CollectionInfo,
  partitionIds: readonly PartitionId[] | null,
): Work<readonly DeletePart[]> {
  if (channels.length === 1 && first === 0 && end === keys.length) {
    return [{ channel: channels[0]!, partitionIds, keys }];
  }
  const shards = yield* bucketsOf(keys, channels.length);
  const positions: number[][] = channels.map(() => []);
  for (let row = first; row < end; row++) positions[shards[row]!]!.push(row);
  const parts: DeletePart[] = [];
  for (const [shard, rows] of positions.entries()) {
    if (rows.length === 0) continue;
    const part = yield* gatherRows(keys, Uint32Array.from(rows));
    parts.push({ channel: channels[shard]!, partitionIds, keys: part });
  }
  return parts;
}
