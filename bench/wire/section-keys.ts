import { setTimeout as sleep } from 'node:timers/promises';
import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, decode, insert, queryKeys, type Request } from './messages.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const ROWS = 100_000;
const BATCH_ROWS = 5_000;
const KEYS = 10;
const QUERIES = 4_000;
const QUERIES_LITE = 1_000;
/** A server answers for weeks: what is measured is not its first second. */
const WARM_UP_QUERIES = 4_000;
const WARM_UP_ROUNDS = 3;
const COLD_QUERIES = 500;
const SHOWN_WITHIN_S = 30;

/** Queries for ten keys that return only keys, on one connection and on four. */
export async function measureKeys(peer: Peer, table: Table): Promise<void> {
  const collection = 'keys';
  const vectors = clusteredVectors(BATCH_ROWS, DIM, 5);
  await withConnections(peer, 4, async (connections) => {
    await emptyCollection(connections[0]!, collection, DIM);
    for (let row = 0; row < ROWS; row += BATCH_ROWS) {
      const { path, frame } = insert(collection, row, vectors, DIM);
      expectInserted(await connections[0]!.call(path, frame));
    }
    await ask(connections[0]!, 'Flush', { collectionNames: [collection] }, 'milvus.FlushResponse');
    const count = peer.name.startsWith('milvus-lite') ? QUERIES_LITE : QUERIES;
    const requests = Array.from({ length: count }, (_, at) =>
      queryKeys(
        collection,
        Array.from({ length: KEYS }, (_, key) => (at * 7919 + key * 9973) % ROWS),
      ),
    );
    const warmUp = requests.slice(0, Math.min(WARM_UP_QUERIES, count));
    await shown(connections[0]!, requests[0]!);
    const coldSeconds = await drain(connections.slice(0, 1), warmUp.slice(0, COLD_QUERIES), expectRows);
    const note = `the first ${COLD_QUERIES}: ${Math.round(COLD_QUERIES / coldSeconds)}/s`;
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1)
      await drain(connections.slice(0, 1), warmUp, expectRows);
    for (const lines of [connections.slice(0, 1), connections]) {
      const seconds = await drain(lines, requests, (answer) => {
        if (answer.length < 40) expectRows(answer);
      });
      table.add(peer, {
        measurement: `query ${KEYS} keys, ${lines.length} connections`,
        value: count / seconds,
        unit: 'queries/s',
        better: 'more',
        ...(lines.length === 1 ? { note } : {}),
      });
    }
  });
}

/** Milvus shows rows some time after it has flushed them. */
async function shown(connection: LeanConnection, request: Request): Promise<void> {
  for (let tries = SHOWN_WITHIN_S; ; tries -= 1) {
    try {
      return expectRows(await connection.call(request.path, request.frame));
    } catch (error) {
      if (tries === 0) throw error;
      await sleep(1_000);
    }
  }
}

function expectRows(answer: Buffer): void {
  const { status, fieldsData } = decode('milvus.QueryResults', answer);
  if (status?.code || status?.errorCode) throw new Error(`Query: ${status.reason}`);
  const fields = fieldsData as readonly {
    readonly scalars?: { readonly longData?: { readonly data?: unknown[] } };
  }[];
  if (fields[0]?.scalars?.longData?.data?.length !== KEYS) throw new Error('Query: not every key was found');
}
