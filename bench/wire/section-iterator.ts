import { performance } from 'node:perf_hooks';
import { withConnections } from './measure.ts';
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
/** Rows between two looks at the server's memory. */
const MEMORY_EVERY = 50_000;

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

    const pages = async (wanted: number): Promise<{ seconds: number; grownMiB: number }> => {
      const before = peer.residentMiB();
      let most = before;
      let seconds = 0;
      let seen = 0;
      for (let last = -1; seen < wanted; ) {
        const { path, frame } = pageAfter(last);
        const startedMs = performance.now();
        const answer = await connection!.call(path, frame);
        seconds += (performance.now() - startedMs) / 1000;
        const ids = idsOf(answer);
        if (ids.length === 0) throw new Error(`the iterator ended after ${seen} of ${wanted} rows`);
        seen += ids.length;
        last = ids.at(-1)!;
        if (seen % MEMORY_EVERY < ids.length) most = Math.max(most, peer.residentMiB());
      }
      if (seen !== wanted) throw new Error(`the iterator found ${seen} of ${wanted} rows`);
      return { seconds, grownMiB: most - before };
    };
    // Once for what is compiled and read meanwhile, then what it takes.
    await pages(rows);
    const { seconds, grownMiB } = await pages(rows);
    table.add(peer, {
      measurement: `query iterator, pages of ${PAGE_ROWS} x ${DIM}`,
      value: rows / seconds,
      unit: 'rows/s',
      better: 'more',
      note: `${rows} rows, one page after the other; the server's memory grew by ${Math.round(grownMiB)} MiB at most`,
    });
    await ask(connection!, 'DropCollection', { collectionName: COLLECTION }, 'common.Status');
  });
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
