import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { indexedCollection } from './indexed-collection.ts';
import type { LeanConnection } from './lean-connection.ts';
import { withConnections } from './measure.ts';
import { ask, search, searchIds } from './messages.ts';
import type { Peer, PeerOptions } from './peers.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
/** A smaller number shows that it works, and nothing else. */
const ROWS = Number(process.env.ELANUS_BENCH_REOPEN_PEER_ROWS ?? 400_000);
const SHOWN_ROWS = ROWS.toLocaleString('en-US');
const COLLECTION = 'reopen';
const HNSW = { M: 16, efConstruction: 200 };
const EF = 64;
const SEED = 1_000;
/** The row that is asked for. */
const WANTED = Math.floor(ROWS / 3);
const ANSWERED_WITHIN_MS = 300_000;
const RETRY_MS = 10;
/** Milvus takes most of a minute to end. */
const STOP_PATIENCE_MS = 120_000;

/**
 * How long a server takes from the start of its process to the first right answer, with all rows flushed and indexed before
 * it was stopped, by SIGTERM and by kill -9. Returns the server's name.
 */
export async function measureReopenBesidePeers(
  start: (options: PeerOptions) => Promise<Peer>,
  table: Table,
): Promise<string> {
  const data = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-reopen-'));
  const vectors = clusteredVectors(ROWS, DIM, SEED);
  const query = vectors.slice(WANTED * DIM, (WANTED + 1) * DIM);
  let server = await start({ data });
  try {
    await withConnections(server, 1, async ([connection]) => {
      await indexedCollection(connection!, COLLECTION, { dim: DIM, vectors }, HNSW);
      await firstRightAnswer(connection!, query);
    });
    for (const stop of ['SIGTERM', 'kill -9'] as const) {
      await server.stop(stop === 'SIGTERM' ? STOP_PATIENCE_MS : 0);
      const startedMs = performance.now();
      server = await start({ data });
      const failures = await withConnections(server, 1, ([connection]) =>
        firstRightAnswer(connection!, query),
      );
      table.add(server, {
        measurement: `reopen ${SHOWN_ROWS} x ${DIM}, HNSW, after ${stop}: first right answer`,
        value: (performance.now() - startedMs) / 1000,
        unit: 's',
        better: 'less',
        note: `${failures} refused or wrong before it`,
      });
    }
    return server.name;
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Asks until the nearest row is the one that lies at `query`; how many answers were refusals, or had another. */
async function firstRightAnswer(connection: LeanConnection, query: Float32Array): Promise<number> {
  const untilMs = performance.now() + ANSWERED_WITHIN_MS;
  const request = search(COLLECTION, query, DIM, {
    limit: 1,
    consistency: 'strong',
    parameters: { ef: EF },
  });
  for (let failures = 0; performance.now() < untilMs; failures += 1) {
    try {
      if (searchIds(await connection.call(request.path, request.frame))[0] === WANTED) return failures;
    } catch {
      // Not every server loads again by itself what was loaded; those that do take it for nothing new.
      await load(connection);
    }
    await sleep(RETRY_MS);
  }
  throw new Error(`no right answer within ${ANSWERED_WITHIN_MS / 1000} s`);
}

/** Whether it is taken, the next search shows. */
async function load(connection: LeanConnection): Promise<void> {
  const request = { collectionName: COLLECTION, replicaNumber: 1 };
  await ask(connection, 'LoadCollection', request, 'common.Status').catch(() => {});
}
