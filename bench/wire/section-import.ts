import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { pythonWith } from '../python.ts';
import { HttpConnection } from './http-connection.ts';
import { importDirectory, importFile, parquetFile } from './import-files.ts';
import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, insert } from './messages.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const ROWS = 1_000_000;
const BATCH_ROWS = 5_000;
const CONNECTIONS = 2;
/** A program of Python takes some seconds for as many, one of Node longer. */
const CLIENT_ROWS = { python: 200_000, node: 100_000 };
const POLL_MS = 20;

/** The same rows from a Parquet file and by inserts: from the call until all can be read, and durably. */
export async function measureImport(peer: Peer, table: Table, scale: number): Promise<void> {
  if (peer.name !== 'Elanus') return;
  const rows = Math.ceil((ROWS * scale) / BATCH_ROWS) * BATCH_ROWS;
  const vectors = clusteredVectors(BATCH_ROWS, DIM, 2);
  const path = join(importDirectory, 'rows.parquet');
  await parquetFile(path, rows, vectors, DIM);
  const line = new HttpConnection(peer);
  const add = (measurement: string, value: number, note?: string) =>
    table.add(peer, { measurement, value, unit: 'rows/s', better: 'more', ...(note && { note }) });
  await withConnections(peer, CONNECTIONS, async (connections) => {
    await emptyCollection(connections[0]!, 'inserted', DIM);
    let inserted = 0;
    // Requests are made as they are sent: all of them would take half a gigabyte.
    for (let from = 0; from < rows; from += 50 * BATCH_ROWS) {
      const count = Math.min(50, (rows - from) / BATCH_ROWS);
      const requests = Array.from({ length: count }, (_, at) =>
        insert('inserted', from + at * BATCH_ROWS, vectors, DIM),
      );
      inserted += await drain(connections, requests, expectInserted);
    }
    // An import leaves its rows in files; and those of inserted rows are not to be written, or read again, while it is measured.
    const flushed = inserted + (await flushSeconds(connections[0]!, 'inserted'));
    await drop(connections[0]!, 'inserted');
    await emptyCollection(connections[0]!, 'imported', DIM);
    const { seconds } = await importFile(peer, line, { collection: 'imported', files: [path] });
    const ownMiB = Math.round(peer.memory().ownMiB);
    await drop(connections[0]!, 'imported');
    const inserts = `${rows} x ${DIM} by inserts of ${BATCH_ROWS}, ${CONNECTIONS} connections`;
    add(inserts, rows / inserted);
    add(`${inserts}, until they are in files`, rows / flushed);
    const byPython = insertsByPymilvus(peer, Math.min(rows, CLIENT_ROWS.python));
    add(`rows of ${DIM} by inserts of ${BATCH_ROWS}, pymilvus`, byPython);
    const byNode = insertsByNodeSdk(peer, Math.min(rows, CLIENT_ROWS.node));
    add(`rows of ${DIM} by inserts of ${BATCH_ROWS}, Node SDK`, byNode);
    const times = (rate: number) => (rows / seconds / rate).toFixed(2);
    add(
      `${rows} x ${DIM} from Parquet`,
      rows / seconds,
      `${times(rows / inserted)} times inserts, ${times(rows / flushed)} times inserts until they are in files, ${times(byPython)} times those of pymilvus, ${times(byNode)} times those of the Node SDK, ${ownMiB} MiB afterwards`,
    );
  });
  line.close();
}

async function drop(connection: LeanConnection, collectionName: string): Promise<void> {
  await ask(connection, 'DropCollection', { collectionName }, 'common.Status');
}

/** What the rate is where the client is not a benchmark's own, which has encoded all requests before. */
function insertsByPymilvus({ host, port }: Peer, rows: number): number {
  const python = pythonWith('pymilvus-3.0.2', ['pymilvus==3.0.2', 'numpy==2.4.6']);
  const script = join(import.meta.dirname, 'pymilvus_inserts.py');
  return Number(execFileSync(python, [script, host, String(port), String(rows)], { encoding: 'utf8' }));
}

function insertsByNodeSdk({ host, port }: Peer, rows: number): number {
  const script = join(import.meta.dirname, 'node-sdk-inserts.ts');
  return Number(
    execFileSync(process.execPath, [script, host, String(port), String(rows)], { encoding: 'utf8' }),
  );
}

/** Until the rows of a collection are in the files that an import would have brought. */
async function flushSeconds(connection: LeanConnection, collectionName: string): Promise<number> {
  const startedMs = performance.now();
  const asked = await ask(connection, 'Flush', { collectionNames: [collectionName] }, 'milvus.FlushResponse');
  const segments = (asked.collSegIDs as Record<string, { data: string[] }>)[collectionName]!;
  const flushTs = (asked.collFlushTs as Record<string, string>)[collectionName]!;
  const question = { segmentIDs: segments.data, flushTs, collectionName };
  while (!(await ask(connection, 'GetFlushState', question, 'milvus.GetFlushStateResponse')).flushed)
    await sleep(POLL_MS);
  return (performance.now() - startedMs) / 1000;
}
