import { setTimeout as sleep } from 'node:timers/promises';
import type { LeanConnection } from './lean-connection.ts';
import { drain, openConnections, quantile, rateDuring } from './measure.ts';
import { ask, decode, insert, queryKeys, type Request } from './messages.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const ROWS = 100_000;
const BATCH_ROWS = 5_000;
const KEYS = 10;
const COLLECTION = 'keys';
const CONNECTIONS = [1, 4];
const QUERIES = 2_000;
const QUERIES_LITE = 500;
/** A server answers for weeks: what is measured is not its first second. */
const WARM_UP_ROUNDS = 6;
/**
 * A turn, at least: the same for all. In turns of as many queries a quick server was asked for a third of a second, and a quarter of those
 * queries were its first after seconds of idleness.
 */
const TURN_MS = 2_000;
const ROUNDS = 9;
const COLD_QUERIES = 500;
const SHOWN_WITHIN_S = 30;

/**
 * Queries for ten keys that return only keys, on one connection and on four: medians of rounds in which the servers take
 * turns, because the machine's speed wanders.
 */
export async function measureKeys(peers: readonly Peer[], table: Table): Promise<void> {
  const askers: KeyAsker[] = [];
  try {
    for (const peer of peers) askers.push(await KeyAsker.ready(peer));
    for (const lines of CONNECTIONS) {
      const rates = new Map<KeyAsker, number[]>(askers.map((asker) => [asker, []]));
      for (let round = 0; round < ROUNDS; round += 1)
        for (const [asker, values] of rates) values.push(await asker.queriesPerSecond(lines));
      for (const [asker, values] of rates) {
        table.add(asker.peer, {
          measurement: `query ${KEYS} keys, ${lines} connections`,
          value: quantile(values, 0.5),
          unit: 'queries/s',
          better: 'more',
          ...(lines === 1 ? { note: `the first ${COLD_QUERIES}: ${Math.round(asker.coldRate)}/s` } : {}),
        });
      }
    }
  } finally {
    for (const asker of askers) asker.close();
  }
}

/** One server with the rows and the queries for them. */
class KeyAsker {
  readonly peer: Peer;
  /** Queries per second of the first ones. */
  readonly coldRate: number;
  readonly #connections: readonly LeanConnection[];
  readonly #requests: readonly Request[];

  private constructor(
    peer: Peer,
    connections: readonly LeanConnection[],
    requests: readonly Request[],
    coldRate: number,
  ) {
    this.peer = peer;
    this.coldRate = coldRate;
    this.#connections = connections;
    this.#requests = requests;
  }

  static async ready(peer: Peer): Promise<KeyAsker> {
    const connections = await openConnections(peer, Math.max(...CONNECTIONS));
    const line = connections.slice(0, 1);
    const vectors = clusteredVectors(BATCH_ROWS, DIM, 5);
    await emptyCollection(line[0]!, COLLECTION, DIM);
    for (let row = 0; row < ROWS; row += BATCH_ROWS) {
      const { path, frame } = insert(COLLECTION, row, vectors, DIM);
      expectInserted(await line[0]!.call(path, frame));
    }
    await ask(line[0]!, 'Flush', { collectionNames: [COLLECTION] }, 'milvus.FlushResponse');
    const requests = Array.from(
      { length: peer.name.startsWith('milvus-lite') ? QUERIES_LITE : QUERIES },
      (_, at) =>
        queryKeys(
          COLLECTION,
          Array.from({ length: KEYS }, (_, key) => (at * 7919 + key * 9973) % ROWS),
        ),
    );
    await shown(line[0]!, requests[0]!);
    const cold = requests.slice(0, COLD_QUERIES);
    const coldSeconds = await drain(line, cold, expectRows);
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await drain(line, requests, expectRows);
    return new KeyAsker(peer, connections, requests, cold.length / coldSeconds);
  }

  /** Of one turn. */
  async queriesPerSecond(lines: number): Promise<number> {
    return await rateDuring(this.#connections.slice(0, lines), this.#requests, TURN_MS, (answer) => {
      if (answer.length < 40) expectRows(answer);
    });
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
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
