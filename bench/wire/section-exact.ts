import { setTimeout as sleep } from 'node:timers/promises';
import { describeShare, readBandwidth } from '../kernel/memory-rate.ts';
import { untilIndexed } from './indexed-collection.ts';
import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, insert, search, searchIds } from './messages.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors, nearest } from './vectors.ts';

const DIM = 768;
const ROWS = 100_000;
const BATCH_ROWS = 2_000;
const LIMIT = 10;
const SINGLE_QUERIES = 200;
/** Until then a server may have to make itself ready: pages of memory, its own code, what it derives from rows. */
const WARM_UP_QUERIES = 100;
const BATCH_QUERIES = 100;
const BATCHES = 8;
const CHECKED_QUERIES = 10;
/** What reads the memory that a search of one query is compared with. */
const READING_THREADS = 2;
/** The load of the sealed segments follows the index; nothing tells when it is done. */
const LOAD_MS = 5_000;

/**
 * FLAT search of 100,000 x 768, one query and a hundred at a time, with recall against a scan made here, and the bytes of
 * vectors a second beside the memory's own rate, which codes of a quarter of the size may exceed.
 */
export async function measureExactSearch(peer: Peer, table: Table): Promise<void> {
  const collection = 'exact';
  const vectors = clusteredVectors(ROWS, DIM, 3);
  const queries = clusteredVectors(BATCH_QUERIES, DIM, 4);
  await withConnections(peer, 1, async (connections) => {
    const connection = connections[0]!;
    await emptyCollection(connection, collection, DIM);
    for (let row = 0; row < ROWS; row += BATCH_ROWS) {
      const { path, frame } = insert(
        collection,
        row,
        vectors.subarray(row * DIM, (row + BATCH_ROWS) * DIM),
        DIM,
      );
      expectInserted(await connection.call(path, frame));
    }
    await settled(connection, collection);
    const queryOf = (at: number) =>
      queries.subarray((at % BATCH_QUERIES) * DIM, ((at % BATCH_QUERIES) + 1) * DIM);
    const settings = { limit: LIMIT, consistency: 'bounded' } as const;
    const recall = await recallOf(connection, collection, vectors, queryOf);
    const note = `recall ${recall.toFixed(3)}`;
    const singles = Array.from({ length: SINGLE_QUERIES }, (_, at) =>
      search(collection, queryOf(at), DIM, settings),
    );
    const batches = Array.from({ length: BATCHES }, () => search(collection, queries, DIM, settings));
    await drain(connections, singles.slice(0, WARM_UP_QUERIES), searchIds);
    const singleSeconds = await drain(connections, singles, expectAnswer);
    const vectorRate = (SINGLE_QUERIES * vectors.byteLength) / singleSeconds;
    table.add(peer, {
      measurement: `exact search ${ROWS} x ${DIM}, nq 1`,
      value: SINGLE_QUERIES / singleSeconds,
      unit: 'queries/s',
      better: 'more',
      note: `${note}, vectors ${describeShare(vectorRate, readBandwidth(READING_THREADS))} of what ${READING_THREADS} threads read`,
    });
    const batchSeconds = await drain(connections, batches, expectAnswer);
    table.add(peer, {
      measurement: `exact search ${ROWS} x ${DIM}, nq ${BATCH_QUERIES}`,
      value: (BATCHES * BATCH_QUERIES) / batchSeconds,
      unit: 'queries/s',
      better: 'more',
      note,
    });
  });
}

async function recallOf(
  connection: LeanConnection,
  collection: string,
  vectors: Float32Array,
  queryOf: (at: number) => Float32Array,
): Promise<number> {
  let right = 0;
  for (let at = 0; at < CHECKED_QUERIES; at += 1) {
    const { path, frame } = search(collection, queryOf(at), DIM, { limit: LIMIT, consistency: 'strong' });
    const found = new Set(searchIds(await connection.call(path, frame)));
    right += nearest(vectors, queryOf(at), DIM, LIMIT).filter((row) => found.has(row)).length;
  }
  return right / (CHECKED_QUERIES * LIMIT);
}

/** Flushed, and its index built: what each server calls its best state. */
async function settled(connection: LeanConnection, collection: string): Promise<void> {
  await ask(connection, 'Flush', { collectionNames: [collection] }, 'milvus.FlushResponse');
  await untilIndexed(connection, collection);
  await sleep(LOAD_MS);
}

function expectAnswer(answer: Buffer): void {
  if (answer.length < 20) searchIds(answer);
}
