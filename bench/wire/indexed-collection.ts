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
  await load(connection, collection);
  await until(`${collection} is loaded`, LOADED_WITHIN_MS, async () => {
    const request = { collectionName: collection };
    const { state } = await ask(connection, 'GetLoadState', request, 'milvus.GetLoadStateResponse');
    return state === LOADED;
  });
}

async function load(connection: LeanConnection, collection: string): Promise<void> {
  await ask(connection, 'LoadCollection', { collectionName: collection, replicaNumber: 1 }, 'common.Status');
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
  await load(connection, collection);
}

/** Resolves when the server says that the index is finished and none waits, with at least `rows` rows in it. */
export async function untilIndexed(connection: LeanConnection, collection: string, rows = 0): Promise<void> {
  await until(`${collection} is indexed`, INDEXED_WITHIN_MS, async () => {
    const request = { collectionName: collection };
    const answer = await ask(connection, 'DescribeIndex', request, 'milvus.DescribeIndexResponse');
    const { indexDescriptions = [] } = answer;
    const isDone = indexDescriptions.every(
      ({ state, indexedRows, pendingIndexRows }) =>
        state === INDEX_FINISHED && Number(indexedRows ?? 0) >= rows && !Number(pendingIndexRows),
    );
    return isDone && indexDescriptions.length > 0;
  });
}

/** Asks `isSo` again and again; throws when it has not been so within `ms`. */
async function until(what: string, ms: number, isSo: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs) {
    if (await isSo()) return;
    await sleep(POLL_MS);
  }
  throw new Error(`not within ${ms / 1000} s: ${what}`);
}
