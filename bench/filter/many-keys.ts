import { setTimeout as sleep } from 'node:timers/promises';
import type { LeanConnection } from '../wire/lean-connection.ts';
import { drain, quantile } from '../wire/measure.ts';
import { ask, insert, queryKeys, type Request } from '../wire/messages.ts';
import { metricsOf } from '../wire/metrics.ts';
import type { Peer } from '../wire/peers.ts';
import { emptyCollection, expectInserted } from '../wire/section-insert.ts';
import type { Table } from '../wire/table.ts';
import { untilCounted } from './counts.ts';

const DIM = 2;
const BATCH_ROWS = 50_000;
const REPORTED_ROWS = 1_000_000;
const KEYS = 10;
const QUERIES = 2_000;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 9;
/** What a server does per second when it does nothing. */
const REST_SECONDS = 0.1;
const REST_WITHIN_S = 120;

interface KeyedCollection {
  readonly rows: number;
  readonly requests: readonly Request[];
  readonly rates: number[];
  /** Microseconds of the server's processor time for a query. */
  readonly costs: number[];
}

/**
 * What ten keys cost among few rows and among many: collections of keys and short vectors in one server, which are asked
 * by turns, because the machine's speed wanders. Medians by the clock and, where the server says it, of its processor time.
 */
export async function measureManyKeys(
  peer: Peer,
  connection: LeanConnection,
  table: Table,
  sizes: readonly number[],
): Promise<void> {
  const collections: KeyedCollection[] = [];
  for (const rows of sizes) collections.push(await filled(connection, rows));
  await untilAtRest(peer);
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++)
    for (const { requests, rates, costs } of collections) {
      const before = await processorSeconds(peer);
      const seconds = await drain([connection], requests, () => {});
      if (round < 0) continue;
      rates.push(requests.length / seconds);
      costs.push(((await processorSeconds(peer)) - before) / (requests.length / 1e6));
    }
  for (const { rows, rates, costs } of collections) {
    const measurement = `query ${KEYS} keys among ${rows} rows of keys`;
    table.add(peer, { measurement, value: quantile(rates, 0.5), unit: 'queries/s', better: 'more' });
    if (peer.admin === null) continue;
    const cost = `${measurement}, processor time`;
    table.add(peer, { measurement: cost, value: quantile(costs, 0.5), unit: 'µs', better: 'less' });
  }
}

async function filled(connection: LeanConnection, rows: number): Promise<KeyedCollection> {
  const collection = `keys_${rows}`;
  const vectors = new Float32Array(DIM * BATCH_ROWS);
  await emptyCollection(connection, collection, DIM);
  const startedMs = performance.now();
  for (let row = 0; row < rows; row += BATCH_ROWS) {
    const { path, frame } = insert(collection, row, vectors.subarray(0, DIM * (rows - row)), DIM);
    expectInserted(await connection.call(path, frame));
    if (row % REPORTED_ROWS === 0 && row > 0)
      console.error(`${row} of ${rows} rows after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  }
  await ask(connection, 'Flush', { collectionNames: [collection] }, 'milvus.FlushResponse');
  await untilCounted(connection, collection, rows);
  const requests = Array.from({ length: QUERIES }, (_, at) =>
    queryKeys(
      collection,
      // Far from each other, so that no two are found on the same way.
      Array.from({ length: KEYS }, (_, key) => ((at * KEYS + key) * 2_654_435_761) % rows),
    ),
  );
  return { rows, requests, rates: [], costs: [] };
}

/** Rows that have just been written are still being sealed and put together. */
async function untilAtRest(peer: Peer): Promise<void> {
  if (peer.admin === null) return await sleep(5_000);
  let before = await processorSeconds(peer);
  for (let tries = 0; tries < REST_WITHIN_S; tries++) {
    await sleep(1_000);
    const now = await processorSeconds(peer);
    if (now - before < REST_SECONDS) return;
    before = now;
  }
  throw new Error('the server does not come to rest');
}

async function processorSeconds(peer: Peer): Promise<number> {
  return peer.admin === null ? 0 : (await metricsOf(peer))('process_cpu_seconds_total');
}
