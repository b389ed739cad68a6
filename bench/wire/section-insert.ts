import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, createCollection, createFlatIndex, decode, insert } from './messages.ts';
import type { Peer } from './peers.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const MEBIBYTE = 1024 * 1024;
const BYTES_PER_RUN = 200 * 1000 * 1000;
const DIMENSIONS = [128, 768];
const BATCH_ROWS = [1_000, 5_000];
const CONNECTIONS = [1, 2, 8];
const WARM_UP_BATCHES = 100;

/** Rows per second that were answered, by dimension, batch and connections; after a warm-up that does not count. */
export async function measureInsert(peer: Peer, table: Table): Promise<void> {
  await insertRun(peer, { dim: 128, batchRows: 1_000, connections: 2, batches: WARM_UP_BATCHES });
  for (const dim of DIMENSIONS) {
    const rowsMax = peer.name.startsWith('milvus-lite') ? 20_000 : BYTES_PER_RUN / (dim * 4);
    for (const batchRows of BATCH_ROWS) {
      const batches = Math.max(8, Math.floor(rowsMax / batchRows));
      for (const connections of CONNECTIONS) {
        const rowsPerSecond = await insertRun(peer, { dim, batchRows, connections, batches });
        table.add(peer, {
          measurement: `insert ${batchRows} x ${dim}, ${connections} connections`,
          value: rowsPerSecond,
          unit: 'rows/s',
          better: 'more',
          note: `${Math.round((rowsPerSecond * dim * 4) / MEBIBYTE)} MiB/s`,
        });
      }
    }
  }
}

interface InsertRun {
  readonly dim: number;
  readonly batchRows: number;
  readonly connections: number;
  readonly batches: number;
}

async function insertRun(peer: Peer, { dim, batchRows, connections, batches }: InsertRun): Promise<number> {
  const collection = `insert_${dim}_${batchRows}_${connections}`;
  const vectors = clusteredVectors(batchRows, dim, 1);
  return await withConnections(peer, connections, async (lines) => {
    await emptyCollection(lines[0]!, collection, dim);
    const requests = Array.from({ length: batches }, (_, at) =>
      insert(collection, at * batchRows, vectors, dim),
    );
    const seconds = await drain(lines, requests, expectInserted);
    await ask(lines[0]!, 'DropCollection', { collectionName: collection }, 'common.Status');
    return (batches * batchRows) / seconds;
  });
}

/** A loaded collection without rows. */
export async function emptyCollection(
  connection: LeanConnection,
  collection: string,
  dim: number,
): Promise<void> {
  await ask(connection, 'CreateCollection', createCollection(collection, dim), 'common.Status');
  await ask(connection, 'CreateIndex', createFlatIndex(collection), 'common.Status');
  await ask(connection, 'LoadCollection', { collectionName: collection, replicaNumber: 1 }, 'common.Status');
}

export function expectInserted(answer: Buffer): void {
  // A MutationResult that begins with a status of two bytes or fewer is a success: decode only the others.
  if (answer.length > 1 && answer[0] === 0x0a && answer[1]! > 2) {
    const { status } = decode('milvus.MutationResult', answer);
    if (status?.code || status?.errorCode) throw new Error(`Insert: ${status.reason}`);
  }
}
