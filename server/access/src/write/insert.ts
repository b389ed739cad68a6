import { MilvusError } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import { collectionRef } from '../definition/collection-ref.ts';
import { type AccessDependencies, type CallContext, FailedAnswer, type Handler } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { encodeMutationResult } from '../wire/mutation-result.ts';
import { upsertPartially } from './partial-upsert.ts';
import { readRows, type WriteKind } from './read-rows.ts';
import { keysOf, splitRows } from './split-rows.ts';
import { checkSchemaTimestamp, defaultPartition, namedPartition } from './write-target.ts';

type RowsRequest = Methods['Insert']['request'] | Methods['Upsert']['request'];

/** A failed answer lists so many rows at most: a request may claim four billion. */
const ERROR_ROWS_MAX = 1_000_000;
const PARTITION_NOT_FOUND = 200;

export function insertHandler(dependencies: AccessDependencies): Handler<'Insert'> {
  return (request, context) => allOrNothing(request, writeRows(dependencies, request, context, 'insert'));
}

/** Upsert is delete and insert at one time: of whole rows, or of what an update of some fields makes of them. */
export function upsertHandler(dependencies: AccessDependencies): Handler<'Upsert'> {
  return async (request, context) => {
    const isPartial = request.partialUpdate || request.fieldOps.some(({ op }) => op !== 0);
    if (!isPartial) return await allOrNothing(request, writeRows(dependencies, request, context, 'upsert'));
    return await allOrNothing(request, updateRows(dependencies, request, context));
  };
}

async function updateRows(
  dependencies: AccessDependencies,
  request: Methods['Upsert']['request'],
  context: CallContext,
): Promise<Uint8Array> {
  const { root, limits } = dependencies;
  const ref = collectionRef(context.database, request.collectionName, limits);
  const collection = await root.describeCollection(ref);
  checkSchemaTimestamp(collection, request.schemaTimestamp);
  return await upsertPartially(dependencies, collection, request, context);
}

/** Of a write that failed, every row did. */
async function allOrNothing<Answer>({ numRows }: RowsRequest, write: Promise<Answer>): Promise<Answer> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof MilvusError)) throw error;
    const rows = numRows <= ERROR_ROWS_MAX ? numRows : 0;
    throw new FailedAnswer(error, { errIndex: Array.from({ length: rows }, (_, row) => row) });
  }
}

/** When the partition goes while rows are on their way, its collection may have been emptied, and has another of its name. */
async function writeRows(
  dependencies: AccessDependencies,
  request: RowsRequest,
  context: CallContext,
  kind: WriteKind,
): Promise<Uint8Array> {
  try {
    return await writeRowsOnce(dependencies, request, context, kind);
  } catch (error) {
    if (!(error instanceof MilvusError && error.code === PARTITION_NOT_FOUND)) throw error;
    return await writeRowsOnce(dependencies, request, context, kind);
  }
}

/** Find the target, read and check the rows, split them, make them durable, reply. */
async function writeRowsOnce(
  dependencies: AccessDependencies,
  request: RowsRequest,
  { database, signal }: CallContext,
  kind: WriteKind,
): Promise<Uint8Array> {
  const { root, streaming, share, limits } = dependencies;
  const collection = await root.describeCollection(collectionRef(database, request.collectionName, limits));
  checkSchemaTimestamp(collection, request.schemaTimestamp);
  const partition = namedPartition(collection, request.partitionName, limits) ?? defaultPartition(collection);
  const batch = await readRows(request, collection, kind, dependencies, { signal });
  const duplicates = kind === 'insert' && collection.duplicateKey !== 'replace' ? 'keep' : 'last';
  const parts = await runInSlices(splitRows(batch, collection, partition, duplicates), share);
  const { timestamp, replacedRows } = await streaming.write({ kind, collection, parts });
  const reply = {
    keys: keysOf(batch, collection),
    insertedRows: batch.length,
    deletedRows: kind === 'upsert' ? replacedRows : 0,
    upsertedRows: kind === 'upsert' ? batch.length : 0,
    timestamp,
  };
  return await runInSlices(encodeMutationResult(reply), share);
}
