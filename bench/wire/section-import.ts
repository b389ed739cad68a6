import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParquetFileWriter } from '@elanus/formats';
import { pythonWith } from '../python.ts';
import { HttpConnection } from './http-connection.ts';
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
/** A Python program takes a second for 150,000. */
const CLIENT_ROWS = 200_000;
const POLL_MS = 20;

/** Where the servers that are started may read files. */
const directory = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-import-'));
process.env.ELANUS_IMPORT_DIRECTORY = directory;
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

/** The same rows from a Parquet file and by inserts: from the call until all can be read, and durably. */
export async function measureImport(peer: Peer, table: Table, scale: number): Promise<void> {
  if (peer.name !== 'Elanus') return;
  const rows = Math.ceil((ROWS * scale) / BATCH_ROWS) * BATCH_ROWS;
  const vectors = clusteredVectors(BATCH_ROWS, DIM, 2);
  const path = await parquetFile(rows, vectors);
  const line = new HttpConnection(peer);
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
    table.add(peer, {
      measurement: `${rows} x ${DIM} by inserts of ${BATCH_ROWS}, ${CONNECTIONS} connections`,
      value: rows / inserted,
      unit: 'rows/s',
      better: 'more',
    });
    const byClient = insertsByPymilvus(peer, Math.min(rows, CLIENT_ROWS));
    table.add(peer, {
      measurement: `rows of ${DIM} by inserts of ${BATCH_ROWS}, pymilvus`,
      value: byClient,
      unit: 'rows/s',
      better: 'more',
    });
    // Files of inserted rows are not to be written while the import is measured; an import's rows are in such files.
    const flushed = inserted + (await flushSeconds(connections[0]!, 'inserted'));
    await emptyCollection(connections[0]!, 'imported', DIM);
    const imported = await importSeconds(line, path);
    table.add(peer, {
      measurement: `${rows} x ${DIM} from Parquet`,
      value: rows / imported,
      unit: 'rows/s',
      better: 'more',
      note: `${(inserted / imported).toFixed(2)} times inserts, ${(flushed / imported).toFixed(2)} times inserts until they are in files, ${(rows / imported / byClient).toFixed(2)} times those of pymilvus, ${Math.round(peer.memory().ownMiB)} MiB afterwards`,
    });
    for (const collectionName of ['inserted', 'imported'])
      await ask(connections[0]!, 'DropCollection', { collectionName }, 'common.Status');
  });
  line.close();
}

/** What the rate is where the client is not a benchmark's own, which has encoded all requests before. */
function insertsByPymilvus({ host, port }: Peer, rows: number): number {
  const python = pythonWith('pymilvus-3.0.2', ['pymilvus==3.0.2', 'numpy==2.4.6']);
  const script = join(import.meta.dirname, 'pymilvus_inserts.py');
  return Number(execFileSync(python, [script, host, String(port), String(rows)], { encoding: 'utf8' }));
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

async function importSeconds(line: HttpConnection, path: string): Promise<number> {
  const post = async (call: string, body: object) =>
    JSON.parse(await line.post(`/v2/vectordb/jobs/import/${call}`, Buffer.from(JSON.stringify(body))))
      .data as {
      jobId: string;
      state: string;
      reason?: string;
    };
  const startedMs = performance.now();
  const { jobId } = await post('create', { collectionName: 'imported', files: [[path]] });
  for (;;) {
    const { state, reason } = await post('describe', { jobId });
    if (state === 'Failed') throw new Error(reason);
    if (state === 'Completed') return (performance.now() - startedMs) / 1000;
    await sleep(POLL_MS);
  }
}

async function parquetFile(rows: number, vectors: Float32Array): Promise<string> {
  const path = join(directory, 'rows.parquet');
  const writer = new ParquetFileWriter([
    { name: 'id', type: 'int64', nullable: false },
    { name: 'vector', type: { list: 'float' }, nullable: false },
  ]);
  const file = await open(path, 'w');
  const lists = Array.from({ length: BATCH_ROWS }, (_, row) => [
    ...vectors.subarray(row * DIM, (row + 1) * DIM),
  ]);
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    const ids = Array.from({ length: BATCH_ROWS }, (_, row) => BigInt(from + row));
    const columns = new Map<string, readonly (bigint | readonly number[])[]>([
      ['id', ids],
      ['vector', lists],
    ]);
    await file.writeFile(await writer.write(BATCH_ROWS, columns));
  }
  await file.writeFile(await writer.finish());
  await file.close();
  return path;
}
