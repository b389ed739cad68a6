import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, decode, insert, pairs, type Request, request } from './messages.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const COLLECTION = 'iterated';
const ROWS = 1_000_000;
const ROWS_LITE = 20_000;
const DIM = 16;
const INSERTED_ROWS = 10_000;
const PAGE_ROWS = 1_000;
const BOUNDED = 2;
const SEED = 12;
/** Between two looks at the server's memory. */
const MEMORY_EVERY_PAGES = 50;

/** A query iterator over all rows as pymilvus asks for its pages, with their vectors: rows a second, memory it takes. */
export async function measureIterator(peer: Peer, table: Table, scale: number): Promise<void> {
  const isLite = peer.name.startsWith('milvus-lite');
  const rows = Math.ceil((isLite ? ROWS_LITE : ROWS) * scale);
  await withConnections(peer, 1, async ([connection]) => {
    await emptyCollection(connection!, COLLECTION, DIM);
    const vectors = clusteredVectors(rows, DIM, SEED);
    for (let row = 0; row < rows; row += INSERTED_ROWS) {
      const some = vectors.subarray(row * DIM, (row + INSERTED_ROWS) * DIM);
      const { path, frame } = insert(COLLECTION, row, some, DIM);
      expectInserted(await connection!.call(path, frame));
    }
    await ask(connection!, 'Flush', { collectionNames: [COLLECTION] }, 'milvus.FlushResponse');

    const requests = Array.from({ length: Math.ceil(rows / PAGE_ROWS) }, (_, page) =>
      pageAfter(page * PAGE_ROWS - 1),
    );
    // Once for what is compiled and read meanwhile, and to see that the rows are those that it takes them for.
    for (const [page, { path, frame }] of requests.entries()) {
      const ids = idsOf(await connection!.call(path, frame));
      const expected = Math.min(PAGE_ROWS, rows - page * PAGE_ROWS);
      if (ids.length !== expected || ids.some((id, at) => id !== page * PAGE_ROWS + at))
        throw new Error(`page ${page} has other rows than it should`);
    }
    const { seconds, clientUs, grownMiB } = await measuredPages(peer, connection!, requests);
    table.add(peer, {
      measurement: `query iterator, pages of ${PAGE_ROWS} x ${DIM}`,
      value: rows / seconds,
      unit: 'rows/s',
      better: 'more',
      note: `${rows} rows, one page after the other, client ${clientUs} µs a page; the server's own memory grew by ${grownMiB} MiB at most`,
    });
    await ask(connection!, 'DropCollection', { collectionName: COLLECTION }, 'common.Status');
  });
}

async function measuredPages(
  peer: Peer,
  connection: LeanConnection,
  requests: readonly Request[],
): Promise<{ readonly seconds: number; readonly clientUs: number; readonly grownMiB: number }> {
  const before = peer.memory().ownMiB;
  let most = before;
  let seconds = 0;
  let us = 0;
  for (let first = 0; first < requests.length; first += MEMORY_EVERY_PAGES) {
    const some = requests.slice(first, first + MEMORY_EVERY_PAGES);
    const cpu = process.cpuUsage();
    seconds += await drain([connection], some, () => {});
    const { user, system } = process.cpuUsage(cpu);
    us += user + system;
    most = Math.max(most, peer.memory().ownMiB);
  }
  return { seconds, clientUs: Math.round(us / requests.length), grownMiB: Math.round(most - before) };
}

function pageAfter(last: number): Request {
  return request('Query', {
    collectionName: COLLECTION,
    expr: `id > ${last}`,
    outputFields: ['id', 'vector'],
    queryParams: pairs({ limit: String(PAGE_ROWS), iterator: 'True', reduce_stop_for_best: 'True' }),
    guaranteeTimestamp: BOUNDED,
    consistencyLevel: BOUNDED,
  });
}

interface QueriedField {
  readonly fieldName: string;
  readonly scalars?: { readonly longData?: { readonly data: readonly string[] } };
}

function idsOf(answer: Buffer): readonly number[] {
  const { status, fieldsData } = decode('milvus.QueryResults', answer);
  if (status?.code || status?.errorCode) throw new Error(`Query: ${status.code} ${status.reason}`);
  const ids = (fieldsData as readonly QueriedField[]).find(({ fieldName }) => fieldName === 'id');
  return (ids?.scalars?.longData?.data ?? []).map(Number);
}
