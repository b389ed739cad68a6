import { performance } from 'node:perf_hooks';
import { HttpConnection } from './http-connection.ts';
import { drain, quantile, withConnections } from './measure.ts';
import { ask, insert, search } from './messages.ts';
import { loopDelayMs } from './metrics.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const SEED = 4;
const ROWS = 10_000;
const BATCH_ROWS = 1_000;
const CONNECTIONS = 4;
const SEARCHES = 8_000;
const ROUNDS = 8;
const INSERTS = 60;
const WARM_UP = 500;
/** Of bodies of 15 MB. */
const LONG_DIM = 768;
const LONG_INSERTS = 40;
const LONG_WARM_UP = 10;

/** Searches over REST beside the same ones over gRPC, and rows inserted as JSON; Milvus 2.3.5 has REST v1 only. */
export async function measureRest(peer: Peer, table: Table): Promise<void> {
  if (peer.name.startsWith('milvus-lite')) return;
  const isElanus = peer.name === 'Elanus';
  const vectors = clusteredVectors(ROWS, DIM, SEED);
  const collection = 'rest_rows';
  const lines = Array.from({ length: CONNECTIONS }, () => new HttpConnection(peer));
  try {
    await withConnections(peer, CONNECTIONS, async (connections) => {
      await emptyCollection(connections[0]!, collection, DIM);
      const rows = Array.from({ length: ROWS / BATCH_ROWS }, (_, at) =>
        insert(
          collection,
          at * BATCH_ROWS,
          vectors.subarray(at * BATCH_ROWS * DIM, (at + 1) * BATCH_ROWS * DIM),
          DIM,
        ),
      );
      await drain(connections, rows, expectInserted);
      const path = isElanus ? '/v2/vectordb/entities/search' : '/v1/vector/search';
      const queries = Array.from({ length: SEARCHES }, (_, at) => {
        const row = at % ROWS;
        return vectors.subarray(row * DIM, (row + 1) * DIM);
      });
      const bodies = queries.map((query) => searchBody(collection, [...query], isElanus));
      const requests = queries.map((query) =>
        search(collection, query, DIM, { limit: 10, consistency: 'bounded' }),
      );
      await drain(connections, requests.slice(0, WARM_UP), () => {});
      await post(lines, path, bodies.slice(0, WARM_UP));
      // In turns, so that what else the machine does meets both.
      const rates = { grpc: [] as number[], rest: [] as number[] };
      for (let from = 0; from < SEARCHES; from += SEARCHES / ROUNDS) {
        const to = from + SEARCHES / ROUNDS;
        rates.grpc.push((to - from) / (await drain(connections, requests.slice(from, to), () => {})));
        rates.rest.push((to - from) / (await post(lines, path, bodies.slice(from, to))));
      }
      const [grpc, rest] = [quantile(rates.grpc, 0.5), quantile(rates.rest, 0.5)];
      const measurement = `search ${ROWS} x ${DIM}, ${CONNECTIONS} connections`;
      table.add(peer, {
        measurement: `${measurement}, gRPC`,
        value: grpc,
        unit: 'queries/s',
        better: 'more',
      });
      table.add(peer, {
        measurement: `${measurement}, REST`,
        value: rest,
        unit: 'queries/s',
        better: 'more',
        note: `${Math.round((100 * rest) / grpc)} % of gRPC's`,
      });
      const batch = Array.from({ length: BATCH_ROWS }, (_, row) => [
        ...vectors.subarray(row * DIM, (row + 1) * DIM),
      ]);
      const inserts = Array.from({ length: INSERTS }, (_, at) => {
        const data = batch.map((vector, row) => ({ id: ROWS + at * BATCH_ROWS + row, vector }));
        return Buffer.from(JSON.stringify({ collectionName: collection, data }));
      });
      const insertPath = isElanus ? '/v2/vectordb/entities/insert' : '/v1/vector/insert';
      table.add(peer, {
        measurement: `insert ${BATCH_ROWS} x ${DIM} as JSON, ${CONNECTIONS} connections`,
        value: (INSERTS * BATCH_ROWS) / (await post(lines, insertPath, inserts)),
        unit: 'rows/s',
        better: 'more',
        note: isElanus ? 'REST v2' : 'REST v1',
      });
      await ask(connections[0]!, 'DropCollection', { collectionName: collection }, 'common.Status');
      if (isElanus) {
        await emptyCollection(connections[0]!, collection, LONG_DIM);
        await measureLongRows(peer, table, { collection, line: lines[0]! });
        await ask(connections[0]!, 'DropCollection', { collectionName: collection }, 'common.Status');
      }
    });
  } finally {
    for (const line of lines) line.close();
  }
}

/** How long others wait while long vectors come as JSON, one body after the other. */
async function measureLongRows(
  peer: Peer,
  table: Table,
  { collection, line }: { readonly collection: string; readonly line: HttpConnection },
): Promise<void> {
  const vectors = clusteredVectors(BATCH_ROWS, LONG_DIM, SEED);
  const data = Array.from({ length: BATCH_ROWS }, (_, id) => ({
    id,
    vector: [...vectors.subarray(id * LONG_DIM, (id + 1) * LONG_DIM)],
  }));
  const body = Buffer.from(JSON.stringify({ collectionName: collection, data }));
  const send = (times: number) => post([line], '/v2/vectordb/entities/insert', Array(times).fill(body));
  await send(LONG_WARM_UP);
  await loopDelayMs(peer); // Reading it begins a new measurement.
  const seconds = await send(LONG_INSERTS);
  const delay = await loopDelayMs(peer);
  const measurement = `insert ${BATCH_ROWS} x ${LONG_DIM} as JSON, one connection`;
  table.add(peer, {
    measurement,
    value: (LONG_INSERTS * BATCH_ROWS) / seconds,
    unit: 'rows/s',
    better: 'more',
  });
  if (delay !== null)
    table.add(peer, {
      measurement: `event-loop delay p99 while ${BATCH_ROWS} x ${LONG_DIM} come as JSON`,
      value: delay,
      unit: 'ms',
      better: 'less',
    });
}

function searchBody(collectionName: string, query: readonly number[], isElanus: boolean): Buffer {
  const asked = isElanus ? { data: [query], consistencyLevel: 'Bounded' } : { vector: query };
  return Buffer.from(JSON.stringify({ collectionName, limit: 10, ...asked }));
}

/** Sends all bodies, each connection one after the other: seconds. */
async function post(
  lines: readonly HttpConnection[],
  path: string,
  bodies: readonly Buffer[],
): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    lines.map(async (line) => {
      while (next < bodies.length) await line.post(path, bodies[next++]!);
    }),
  );
  return (performance.now() - startedMs) / 1000;
}
