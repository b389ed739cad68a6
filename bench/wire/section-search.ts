import { indexedCollection } from './indexed-collection.ts';
import type { LeanConnection } from './lean-connection.ts';
import { drain, latencies, quantile, withConnections } from './measure.ts';
import { ask, type Request, search, searchIds } from './messages.ts';
import type { Peer } from './peers.ts';
import type { Table } from './table.ts';
import { clusteredVectors, nearest } from './vectors.ts';

const SHAPES = [
  { dim: 128, rows: 200_000 },
  { dim: 768, rows: 50_000 },
] as const;
const SEED = 9;
const QUERIES = 200;
const LIMIT = 10;
const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640];
const RECALLS = [0.95, 0.99];
const CONNECTIONS = [1, 4, 16];
const WARM_UP_QUERIES = 3_000;
const MEASURED_QUERIES = 3_000;
/** The last effort that is tried is the first that reaches it. */
const ENOUGH = 0.995;
const LATENCY_EF = 64;

interface Point {
  readonly ef: number;
  readonly recall: number;
}

/** HNSW with the same parameters: queries a second at equal recall, on one connection and on several, and latency. */
export async function measureSearch(peer: Peer, table: Table, scale: number): Promise<void> {
  for (const { dim, rows: wholeRows } of SHAPES) {
    const rows = Math.ceil(wholeRows * scale);
    await withConnections(peer, CONNECTIONS.at(-1)!, async (connections) => {
      const vectors = clusteredVectors(rows + QUERIES, dim, SEED);
      const collection = `search_${dim}`;
      const shown = { dim, vectors: vectors.subarray(0, rows * dim) };
      await indexedCollection(connections[0]!, collection, shown, { M: 16, efConstruction: 200 });
      const queries = Array.from({ length: QUERIES }, (_, at) =>
        vectors.subarray((rows + at) * dim, (rows + at + 1) * dim),
      );
      const truth = queries.map((query) => new Set(nearest(shown.vectors, query, dim, LIMIT)));
      const requestsOf = (ef: number) => queries.map((query) => requestOf(collection, query, dim, ef));
      await drain(connections, times(requestsOf(LATENCY_EF), WARM_UP_QUERIES), expectAnswer);
      const points: Point[] = [];
      for (const ef of EFS) {
        points.push({ ef, recall: await recallOf(connections[0]!, requestsOf(ef), truth) });
        if (points.at(-1)!.recall >= ENOUGH) break;
      }
      for (const recall of RECALLS) {
        const point = points.find((one) => one.recall >= recall);
        if (point === undefined) continue;
        for (const count of CONNECTIONS) {
          const requests = times(requestsOf(point.ef), MEASURED_QUERIES);
          const seconds = await drain(connections.slice(0, count), requests, expectAnswer);
          table.add(peer, {
            measurement: `search ${rows} x ${dim} at recall ${recall}, ${count} connections`,
            value: MEASURED_QUERIES / seconds,
            unit: 'queries/s',
            better: 'more',
            note: `ef ${point.ef}, recall ${point.recall.toFixed(3)}`,
          });
        }
      }
      const taken = await latencies(
        connections[0]!,
        times(requestsOf(LATENCY_EF), MEASURED_QUERIES),
        expectAnswer,
      );
      table.add(peer, {
        measurement: `search ${rows} x ${dim}, ef ${LATENCY_EF}, p99`,
        value: quantile(taken, 0.99),
        unit: 'ms',
        better: 'less',
        note: `p50 ${quantile(taken, 0.5).toFixed(2)} ms`,
      });
      await ask(connections[0]!, 'DropCollection', { collectionName: collection }, 'common.Status');
    });
  }
}

function requestOf(collection: string, query: Float32Array, dim: number, ef: number): Request {
  return search(collection, query, dim, { limit: LIMIT, consistency: 'bounded', parameters: { ef } });
}

async function recallOf(
  connection: LeanConnection,
  requests: readonly Request[],
  truth: readonly ReadonlySet<number>[],
): Promise<number> {
  let found = 0;
  for (const [at, { path, frame }] of requests.entries())
    found += searchIds(await connection.call(path, frame)).filter((id) => truth[at]!.has(id)).length;
  return found / (requests.length * LIMIT);
}

function times(requests: readonly Request[], count: number): Request[] {
  return Array.from({ length: count }, (_, at) => requests[at % requests.length]!);
}

/** Hits are much longer than any failure's status: only a short answer is looked at. */
function expectAnswer(answer: Buffer): void {
  if (answer.length < 100) searchIds(answer);
}
