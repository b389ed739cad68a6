import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, createCollection, createIndex, insert, type Request, search, searchIds } from './messages.ts';
import { type Peer, startElanus } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
/** A smaller number shows that it works, and nothing else. */
const ROWS = Number(process.env.ELANUS_BENCH_REOPEN_ROWS ?? 1_000_000);
const BATCH_ROWS = 5_000;
const HNSW = { M: 16, efConstruction: 200 };
const EF = 64;
const LAYOUTS = ['compact', 'fast'] as const;
const INDEX_FINISHED = 3;
const POLL_MS = 500;
/** Pieces are put together and written to files once writes rest; nothing on the wire tells of it. */
const SETTLE_MS = 20_000;
const SHOWN_ROWS = ROWS.toLocaleString('en-US');
/** The row that the first search asks for. */
const WANTED = Math.floor(ROWS / 3);

/**
 * How long a directory takes from the start of the process to its first answered search: with all rows in the log, and
 * with all rows in files and indexed, after SIGTERM and after kill -9.
 */
export async function measureReopen(table: Table): Promise<void> {
  await measureLog(table);
  for (const layout of LAYOUTS) await measureFiles(table, layout);
}

async function measureLog(table: Table): Promise<void> {
  await withDirectory(async (data) => {
    const before = await startElanus({ data });
    await withConnections(before, 2, async (connections) => {
      await emptyCollection(connections[0]!, 'reopen', DIM);
      await drain(connections, insertions(), expectInserted);
    });
    await before.stop();
    await firstAnswer(table, data, `reopen ${SHOWN_ROWS} x ${DIM} after SIGTERM, rows in the log`);
  });
}

async function measureFiles(table: Table, layout: (typeof LAYOUTS)[number]): Promise<void> {
  await withDirectory(async (data) => {
    let server = await startElanus({ data });
    const idleMiB = server.residentMiB();
    await withConnections(server, 2, async (connections) => {
      const [connection] = connections as [LeanConnection];
      await ask(connection, 'CreateCollection', createCollection('reopen', DIM), 'common.Status');
      const index = createIndex('reopen', 'HNSW', { ...HNSW, graph_layout: layout });
      await ask(connection, 'CreateIndex', index, 'common.Status');
      await ask(
        connection,
        'LoadCollection',
        { collectionName: 'reopen', replicaNumber: 1 },
        'common.Status',
      );
      await drain(connections, insertions(), expectInserted);
      await ask(connection, 'Flush', { collectionNames: ['reopen'] }, 'milvus.FlushResponse');
      await untilIndexed(connection);
    });
    await sleep(SETTLE_MS);
    for (const stop of ['SIGTERM', 'kill -9'] as const) {
      await server.stop(stop === 'SIGTERM' ? undefined : 0);
      const of = `reopen ${SHOWN_ROWS} x ${DIM}, HNSW ${layout}, after ${stop}`;
      server = await firstAnswer(table, data, of, 'goes on');
    }
    const aboveMiB = server.residentMiB() - idleMiB;
    table.add(server, {
      measurement: `memory above idle, ${SHOWN_ROWS} x ${DIM}, HNSW ${layout}, after one search`,
      value: aboveMiB,
      unit: 'MiB',
      better: 'less',
      note: `raw vectors ${Math.round((ROWS * DIM * 4) / 1024 ** 2)} MiB`,
    });
    await server.stop();
  });
}

/** Starts on the directory and searches at once. The server is stopped unless it `goes on`. */
async function firstAnswer(
  table: Table,
  data: string,
  measurement: string,
  then: 'goes on' | 'stops' = 'stops',
): Promise<Peer> {
  const startedMs = performance.now();
  const server = await startElanus({ data });
  await withConnections(server, 1, async ([connection]) => {
    const at = WANTED % BATCH_ROWS;
    const query = vectorsOf(Math.floor(WANTED / BATCH_ROWS)).subarray(at * DIM, (at + 1) * DIM);
    const { path, frame } = search('reopen', query, DIM, {
      limit: 1,
      consistency: 'strong',
      parameters: { ef: EF },
    });
    const [hit] = searchIds(await connection!.call(path, frame));
    if (hit !== WANTED) throw new Error(`the first answer is ${hit}, not ${WANTED}`);
  });
  table.add(server, {
    measurement,
    value: performance.now() - startedMs,
    unit: 'ms',
    better: 'less',
    note: `ready after ${Math.round(server.startMs)} ms`,
  });
  if (then === 'stops') await server.stop();
  return server;
}

async function untilIndexed(connection: LeanConnection): Promise<void> {
  for (;;) {
    const { indexDescriptions = [] } = await ask(
      connection,
      'DescribeIndex',
      { collectionName: 'reopen' },
      'milvus.DescribeIndexResponse',
    );
    const isDone = indexDescriptions.every(
      ({ state, pendingIndexRows }) => state === INDEX_FINISHED && !Number(pendingIndexRows),
    );
    if (isDone && indexDescriptions.length > 0) return;
    await sleep(POLL_MS);
  }
}

function insertions(): readonly Request[] {
  return Array.from({ length: ROWS / BATCH_ROWS }, (_, batch) =>
    insert('reopen', batch * BATCH_ROWS, vectorsOf(batch), DIM),
  );
}

/** No two rows are equal: the first answer has to be the right one. */
function vectorsOf(batch: number): Float32Array {
  return clusteredVectors(BATCH_ROWS, DIM, 1_000 + batch);
}

async function withDirectory(work: (data: string) => Promise<void>): Promise<void> {
  const data = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-reopen-'));
  try {
    await work(data);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}
