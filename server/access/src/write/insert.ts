import { serviceUnimplemented } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import { collectionRef } from '../definition/collection-ref.ts';
import type { AccessDependencies, CallContext, Handler } from '../handler.ts';
import { encodeMutationResult } from '../wire/mutation-result.ts';
import { readRows, run, type WriteKind } from './read-rows.ts';
import { keysOf, splitRows } from './split-rows.ts';
import { checkSchemaTimestamp, defaultPartition, namedPartition } from './write-target.ts';

type RowsRequest = Methods['Insert']['request'] | Methods['Upsert']['request'];

export function insertHandler(dependencies: AccessDependencies): Handler<'Insert'> {
  return (request, context) => writeRows(dependencies, request, context, 'insert');
}

/** Upsert is delete and insert of whole rows at one time. */
export function upsertHandler(dependencies: AccessDependencies): Handler<'Upsert'> {
  return async (request, context) => {
    if (request.partialUpdate || request.fieldOps.length > 0) throw serviceUnimplemented('partial update');
    return await writeRows(dependencies, request, context, 'upsert');
  };
}

/** Find the target, read and check the rows, split them, make them durable, reply. */
async function writeRows(
  { root, streaming, limits }: AccessDependencies,
  request: RowsRequest,
  { database }: CallContext,
  kind: WriteKind,
): Promise<Uint8Array> {
  const collection = await root.describeCollection(collectionRef(database, request.collectionName, limits));
  checkSchemaTimestamp(collection, request.schemaTimestamp);
  const partition = namedPartition(collection, request.partitionName, limits) ?? defaultPartition(collection);
  const batch = await readRows(request, collection, kind, root);
  const duplicates = kind === 'insert' && collection.duplicateKey !== 'replace' ? 'keep' : 'last';
  const parts = await run(request.fieldsData, splitRows(batch, collection, partition, duplicates));
  const { timestamp, replacedRows } = await streaming.write({ kind, collection, parts });
  return encodeMutationResult({
    keys: keysOf(batch, collection),
    insertedRows: batch.length,
    deletedRows: kind === 'upsert' ? replacedRows : 0,
    upsertedRows: kind === 'upsert' ? batch.length : 0,
    timestamp,
  });
}
