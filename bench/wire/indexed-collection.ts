import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeanConnection } from './lean-connection.ts';
import { ask, createCollection, createIndex, insert } from './messages.ts';
import { expectInserted } from './section-insert.ts';

const BATCH_ROWS = 2_000;
const INDEX_FINISHED = 3;
const INDEXED_WITHIN_MS = 600_000;
const LOADED_WITHIN_MS = 120_000;
const LOADED = 3;
const POLL_MS = 50;

export interface IndexedRows {
  readonly dim: number;
  readonly vectors: Float32Array;
  /** One a row, for filters. */
  readonly numbers?: Int32Array | null;
}

/** A loaded collection of `vectors`, flushed, with an HNSW index over all of it. */
export async function indexedCollection(
  connection: LeanConnection,
  collection: string,
  { dim, vectors, numbers = null }: IndexedRows,
  parameters: object,
): Promise<void> {
  await openIndexed(connection, collection, dim, parameters, numbers !== null);
  const rows = vectors.length / dim;
  for (let row = 0; row < rows; row += BATCH_ROWS) {
    const batch = vectors.subarray(row * dim, (row + BATCH_ROWS) * dim);
    const batchNumbers = numbers?.subarray(row, row + BATCH_ROWS) ?? null;
    const { path, frame } = insert(collection, row, batch, dim, batchNumbers);
    expectInserted(await connection.call(path, frame));
  }
  await ask(connection, 'Flush', { collectionNames: [collection] }, 'milvus.FlushResponse');
  await untilIndexed(connection, collection, rows);
  await reload(connection, collection);
}

/**
 * Milvus goes on with the rows as they came in, and with an index of its own over them (IVF, whatever was asked for), for a
 * while after the index is finished: its recall was 1.000 at the least effort. What is loaded anew has the index.
 */
async function reload(connection: LeanConnection, collection: string): Promise<void> {
  await ask(connection, 'ReleaseCollection', { collectionName: collection }, 'common.Status');
  await ask(connection, 'LoadCollection', { collectionName: collection, replicaNumber: 1 }, 'common.Status');
  const untilMs = performance.now() + LOADED_WITHIN_MS;
  while (performance.now() < untilMs) {
    const state = await ask(
      connection,
      'GetLoadState',
      { collectionName: collection },
      'milvus.GetLoadStateResponse',
    );
    if (state.state === LOADED) return;
    await sleep(POLL_MS);
  }
  throw new Error(`${collection} was not loaded within ${LOADED_WITHIN_MS / 1000} s`);
}

/** A loaded collection without rows whose vectors get an HNSW index. */
export async function openIndexed(
  connection: LeanConnection,
  collection: string,
  dim: number,
  parameters: object,
  withNumbers = false,
): Promise<void> {
  const collectionOf = createCollection(collection, dim, withNumbers);
  await ask(connection, 'CreateCollection', collectionOf, 'common.Status');
  await ask(connection, 'CreateIndex', createIndex(collection, 'HNSW', parameters), 'common.Status');
  await ask(connection, 'LoadCollection', { collectionName: collection, replicaNumber: 1 }, 'common.Status');
}

/** Resolves when the server says that the index is finished and none waits, with at least `rows` rows in it. */
export async function untilIndexed(connection: LeanConnection, collection: string, rows = 0): Promise<void> {
  const untilMs = performance.now() + INDEXED_WITHIN_MS;
  while (performance.now() < untilMs) {
    const { indexDescriptions = [] } = await ask(
      connection,
      'DescribeIndex',
      { collectionName: collection },
      'milvus.DescribeIndexResponse',
    );
    const isDone = indexDescriptions.every(
      ({ state, indexedRows, pendingIndexRows }) =>
        state === INDEX_FINISHED && Number(indexedRows ?? 0) >= rows && !Number(pendingIndexRows),
    );
    if (isDone && indexDescriptions.length > 0) return;
    await sleep(POLL_MS);
  }
  throw new Error(`${collection} was not indexed within ${INDEXED_WITHIN_MS / 1000} s`);
}
