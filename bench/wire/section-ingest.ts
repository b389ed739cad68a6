import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { openIndexed, untilIndexed } from './indexed-collection.ts';
import type { InsertLoad } from './insert-load.ts';
import type { LeanConnection } from './lean-connection.ts';
import { latencies, quantile, repeat, whilst, withConnections } from './measure.ts';
import { ask, search, searchIds } from './messages.ts';
import type { Peer } from './peers.ts';
import type { Table } from './table.ts';
import { clusteredVectors, INSERT_LOAD_SEED, nearest } from './vectors.ts';

const MEBIBYTE = 1024 * 1024;
const BATCH_ROWS = 1_000;
const INSERTERS = 2;
const SHAPES = [
  { dim: 128, rows: 200_000 },
  { dim: 768, rows: 50_000 },
] as const;
const HNSW = { M: 16, efConstruction: 200 };
/** The layouts of Elanus; others have one graph and do not know the word. */
const LAYOUTS = ['compact', 'fast'] as const;
const EF = 64;
const IDLE_SEARCHES = 500;
const RECALL_QUERIES = 50;
const RECALL_LIMIT = 10;
/** The rest of what is written at its leisure: the log cut, files that nobody needs any more. */
const SETTLE_MS = 3_000;

interface IngestRun {
  readonly dim: number;
  readonly rows: number;
  /** Empty for servers that have one. */
  readonly layout: (typeof LAYOUTS)[number] | '';
}

/** From the first row to all rows in files and in the index, searches beside it; memory and disk when it is done. */
export async function measureIngest(peer: Peer, table: Table): Promise<void> {
  for (const shape of SHAPES)
    for (const layout of peer.name === 'Elanus' ? LAYOUTS : ([''] as const))
      await ingest(peer, table, { ...shape, layout });
}

async function ingest(peer: Peer, table: Table, { dim, rows, layout }: IngestRun): Promise<void> {
  const collection = `ingest_${dim}_${layout || 'hnsw'}`;
  const vectors = clusteredVectors(rows + RECALL_QUERIES, dim, INSERT_LOAD_SEED);
  const queries = vectors.subarray(rows * dim);
  const name = `ingest ${rows} x ${dim}`;
  // Other peers have the row of the compact layout to themselves.
  const of = layout === 'fast' ? `${name}, fast layout` : name;
  await withConnections(peer, 1, async ([connection]) => {
    const before = { memory: peer.residentMiB(), disk: peer.diskMiB() };
    const parameters = layout === '' ? HNSW : { ...HNSW, graph_layout: layout };
    await openIndexed(connection!, collection, dim, parameters);
    const load: InsertLoad = {
      host: peer.host,
      port: peer.port,
      collection,
      dim,
      batchRows: BATCH_ROWS,
      batches: rows / BATCH_ROWS,
      connections: INSERTERS,
      distinctBatches: rows / BATCH_ROWS,
    };
    const inserters = new Worker(new URL('./insert-load.ts', import.meta.url), { workerData: load });
    await once(inserters, 'message');
    const request = search(collection, queries.subarray(0, dim), dim, {
      limit: RECALL_LIMIT,
      consistency: 'bounded',
      parameters: { ef: EF },
    });
    const peak = { memory: before.memory };
    const sampling = setInterval(() => {
      peak.memory = Math.max(peak.memory, peer.residentMiB());
    }, 200);
    let isIndexing = true;
    const startedMs = performance.now();
    const busy = latencies(
      connection!,
      whilst(request, () => isIndexing),
      searchIds,
    );
    const inserted = once(inserters, 'message');
    inserters.postMessage('go');
    await inserted;
    const insertSeconds = (performance.now() - startedMs) / 1000;
    await inserters.terminate();
    await withConnections(peer, 1, async ([asking]) => {
      await ask(asking!, 'Flush', { collectionNames: [collection] }, 'milvus.FlushResponse');
      await untilIndexed(asking!, collection, rows);
    });
    const seconds = (performance.now() - startedMs) / 1000;
    isIndexing = false;
    const busyTimes = await busy;
    await sleep(SETTLE_MS);
    clearInterval(sampling);
    const idle = await latencies(connection!, repeat(request, IDLE_SEARCHES), searchIds);
    const recall = await recallOf(connection!, collection, { dim, rows, vectors });
    const raw = (rows * dim * 4) / MEBIBYTE;
    table.add(peer, {
      measurement: `${of}, first row to flushed and indexed`,
      value: seconds,
      unit: 's',
      better: 'less',
      note: `all inserted after ${insertSeconds.toFixed(1)} s; recall@10 at ef ${EF} ${recall.toFixed(3)}`,
    });
    table.add(peer, {
      measurement: `${of}, search p99 meanwhile`,
      value: quantile(busyTimes, 0.99),
      unit: 'ms',
      better: 'less',
      note: `p50 ${quantile(busyTimes, 0.5).toFixed(2)} ms, ${busyTimes.length} searches; idle p99 ${quantile(idle, 0.99).toFixed(2)} ms`,
    });
    table.add(peer, {
      measurement: `${of}, peak memory above idle`,
      value: peak.memory - before.memory,
      unit: 'MiB',
      better: 'less',
      note: `${((peak.memory - before.memory) / raw).toFixed(2)} x the raw vectors`,
    });
    const disk = peer.diskMiB() - before.disk;
    table.add(peer, {
      measurement: `${of}, disk when all is done`,
      value: disk,
      unit: 'MiB',
      better: 'less',
      note: `${(disk / raw).toFixed(2)} x the raw vectors`,
    });
    await ask(connection!, 'DropCollection', { collectionName: collection }, 'common.Status');
  });
}

/** Of the queries that follow the rows in `vectors`. */
async function recallOf(
  connection: LeanConnection,
  collection: string,
  { dim, rows, vectors }: { readonly dim: number; readonly rows: number; readonly vectors: Float32Array },
): Promise<number> {
  let found = 0;
  for (let row = rows; row < rows + RECALL_QUERIES; row += 1) {
    const query = vectors.subarray(row * dim, (row + 1) * dim);
    const { path, frame } = search(collection, query, dim, {
      limit: RECALL_LIMIT,
      consistency: 'bounded',
      parameters: { ef: EF },
    });
    const truth = new Set(nearest(vectors.subarray(0, rows * dim), query, dim, RECALL_LIMIT));
    found += searchIds(await connection.call(path, frame)).filter((id) => truth.has(id)).length;
  }
  return found / (RECALL_QUERIES * RECALL_LIMIT);
}
