/**
 * `npx node bench/flush.ts [rows]`: how near a flush comes to the disk it is on. In turns, because disks drift: a server
 * flushes rows of 128 dimensions to one file, and as many bytes are written to a bare file and synced. A flush
 * lasts from its cut until its files are published and used in place of memory, by the server's own clock.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drain, quantile, withConnections } from './wire/measure.ts';
import { ask, insert } from './wire/messages.ts';
import { metricsOf } from './wire/metrics.ts';
import { type Peer, startElanus } from './wire/peers.ts';
import { emptyCollection, expectInserted } from './wire/section-insert.ts';
import { clusteredVectors } from './wire/vectors.ts';

const ROUNDS = 5;
const DIM = 128;
const BATCH_ROWS = 5_000;
const ROWS = Number(process.argv[2] ?? 150_000);
const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(4 * MIB, 0x5a);
const POLL_MS = 20;

interface Flushed {
  readonly count: number;
  readonly seconds: number;
  readonly bytes: number;
}

/** Seconds to write so many bytes one behind the other, and to sync them at last. */
function bareFile(directory: string, bytes: number): number {
  const path = join(directory, 'bare');
  const file = openSync(path, 'w');
  const startedMs = performance.now();
  for (let left = bytes; left > 0; left -= PIECE.length)
    writeSync(file, PIECE, 0, Math.min(left, PIECE.length));
  fdatasyncSync(file);
  const seconds = (performance.now() - startedMs) / 1000;
  closeSync(file);
  rmSync(path);
  return seconds;
}

/** What the server has flushed since its start. */
async function flushedBy(server: Peer): Promise<Flushed> {
  const metric = await metricsOf(server);
  return {
    count: metric('elanus_flush_seconds_count'),
    seconds: metric('elanus_flush_seconds_sum'),
    bytes: metric('elanus_flush_bytes_total'),
  };
}

/** Fills a collection and flushes it, once. */
async function flushOne(server: Peer, collection: string): Promise<Flushed> {
  const before = await flushedBy(server);
  await withConnections(server, 2, async (connections) => {
    await emptyCollection(connections[0]!, collection, DIM);
    const vectors = clusteredVectors(BATCH_ROWS, DIM, 1);
    const requests = Array.from({ length: ROWS / BATCH_ROWS }, (_, at) =>
      insert(collection, at * BATCH_ROWS, vectors, DIM),
    );
    await drain(connections, requests, expectInserted);
    await ask(connections[0]!, 'Flush', { collectionNames: [collection] }, 'milvus.FlushResponse');
  });
  for (;;) {
    const now = await flushedBy(server);
    if (now.count > before.count)
      return {
        count: now.count - before.count,
        seconds: now.seconds - before.seconds,
        bytes: now.bytes - before.bytes,
      };
    await sleep(POLL_MS);
  }
}

const directory = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-flush-'));
const server = await startElanus({ data: join(directory, 'data') });
try {
  const ratios: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const { seconds, bytes, count } = await flushOne(server, `flush_${round}`);
    const bareSeconds = bareFile(directory, bytes);
    ratios.push(bareSeconds / seconds);
    const rate = (taken: number) => `${Math.round(bytes / MIB / taken)} MiB/s`;
    console.log(
      `${count} flush of ${Math.round(bytes / MIB)} MiB: ${rate(seconds)}; bare file: ${rate(bareSeconds)}; ` +
        `ratio ${(bareSeconds / seconds).toFixed(2)}`,
    );
  }
  console.log(`median ratio ${quantile(ratios, 0.5).toFixed(2)}`);
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
