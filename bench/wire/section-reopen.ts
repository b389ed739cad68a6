import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { untilAtRest } from './at-rest.ts';
import { openIndexed, untilIndexed } from './indexed-collection.ts';
import { measureLoadedMemory } from './loaded-memory.ts';
import { drain, withConnections } from './measure.ts';
import { ask, insert, type Request, search, searchIds } from './messages.ts';
import { metricsOf } from './metrics.ts';
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
/** Rows of each batch that searches look near, for all of the index and of the vectors to be read. */
const SEARCHED_ROWS = 100;
const SHOWN_ROWS = ROWS.toLocaleString('en-US');
/** No rows go to files by themselves: a shard would have to have so much of them in memory. */
const KEPT_IN_LOG = { DATACOORD_SEGMENT_MAXSIZE: '65536' };
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
    let server = await startElanus({ data, settings: KEPT_IN_LOG });
    await withConnections(server, 2, async (connections) => {
      await emptyCollection(connections[0]!, 'reopen', DIM);
      await drain(connections, insertions(), expectInserted);
    });
    await server.stop(0);
    const startedMs = performance.now();
    const of = `reopen ${SHOWN_ROWS} x ${DIM} after kill -9, rows in the log`;
    server = await firstAnswer(table, data, of, KEPT_IN_LOG);
    const seconds = (performance.now() - startedMs) / 1000;
    const replayed = (await metricsOf(server))('elanus_worker_rows_replayed_total');
    if (replayed !== ROWS) throw new Error(`${replayed} rows were replayed instead of ${ROWS}`);
    table.add(server, {
      measurement: `${of}: replay`,
      value: replayed / seconds,
      unit: 'rows/s',
      better: 'more',
      note: 'from the start of the process to its first answer',
    });
    await server.stop();
  });
}

async function measureFiles(table: Table, layout: (typeof LAYOUTS)[number]): Promise<void> {
  await withDirectory(async (data) => {
    let server = await startElanus({ data });
    const idleMiB = server.residentMiB();
    const idle = server.memory();
    await withConnections(server, 2, async (connections) => {
      const connection = connections[0]!;
      await openIndexed(connection, 'reopen', DIM, { ...HNSW, graph_layout: layout });
      await drain(connections, insertions(), expectInserted);
      await ask(connection, 'Flush', { collectionNames: ['reopen'] }, 'milvus.FlushResponse');
      await untilIndexed(connection, 'reopen');
    });
    await untilAtRest(server, ROWS);
    for (const stop of ['SIGTERM', 'kill -9'] as const) {
      await server.stop(stop === 'SIGTERM' ? undefined : 0);
      const of = `reopen ${SHOWN_ROWS} x ${DIM}, HNSW ${layout}, after ${stop}`;
      server = await firstAnswer(table, data, of);
    }
    const aboveMiB = server.residentMiB() - idleMiB;
    table.add(server, {
      measurement: `memory above idle, ${SHOWN_ROWS} x ${DIM}, HNSW ${layout}, after one search`,
      value: aboveMiB,
      unit: 'MiB',
      better: 'less',
      note: `raw vectors ${Math.round((ROWS * DIM * 4) / 1024 ** 2)} MiB`,
    });
    const about = { collection: 'reopen', rows: ROWS, dim: DIM, layout };
    await measureLoadedMemory(table, server, idle, { ...about, samples: samples() });
    await server.stop();
  });
}

/** Starts on the directory and searches at once. */
async function firstAnswer(
  table: Table,
  data: string,
  measurement: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Peer> {
  const startedMs = performance.now();
  const server = await startElanus({ data, settings });
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
  return server;
}

function insertions(): readonly Request[] {
  return Array.from({ length: ROWS / BATCH_ROWS }, (_, batch) =>
    insert('reopen', batch * BATCH_ROWS, vectorsOf(batch), DIM),
  );
}

/** Rows from everywhere, the same number of each batch that is looked near. */
function* samples(): Generator<Float32Array> {
  for (let batch = 0; batch < ROWS / BATCH_ROWS; batch += 1)
    yield vectorsOf(batch).subarray(0, SEARCHED_ROWS * DIM);
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
