import { drain, latencies, quantile, withConnections } from './measure.ts';
import { insert, type Request, search, searchIds } from './messages.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const BATCH_ROWS = 1_000;
const ROWS_SEARCHED = 10_000;
const INSERT_BATCHES = 600;
const INSERTERS = 8;
const IDLE_SEARCHES = 300;

/** One connection searches a small collection while eight insert into another: what becomes of its latency? */
export async function measureMixed(peer: Peer, table: Table): Promise<void> {
  const vectors = clusteredVectors(ROWS_SEARCHED, DIM, 6);
  const batch = vectors.subarray(0, BATCH_ROWS * DIM);
  const batches = peer.name.startsWith('milvus-lite') ? INSERT_BATCHES / 10 : INSERT_BATCHES;
  await withConnections(peer, INSERTERS + 1, async ([searcher, ...inserters]) => {
    await emptyCollection(searcher!, 'mixed_search', DIM);
    await emptyCollection(searcher!, 'mixed_insert', DIM);
    const loaded = insert('mixed_search', 0, vectors, DIM);
    expectInserted(await searcher!.call(loaded.path, loaded.frame));
    const request = search('mixed_search', vectors.subarray(0, DIM), DIM, {
      limit: 10,
      consistency: 'bounded',
    });
    const idle = await latencies(searcher!, repeat(request, IDLE_SEARCHES), searchIds);
    const state = { inserting: true };
    const requests = Array.from({ length: batches }, (_, at) =>
      insert('mixed_insert', at * BATCH_ROWS, batch, DIM),
    );
    const inserted = drain(inserters, requests, expectInserted).finally(() => {
      state.inserting = false;
    });
    const busy = await latencies(searcher!, whilst(request, state), searchIds);
    const seconds = await inserted;
    const rate = Math.round((batches * BATCH_ROWS) / seconds);
    const figures = { idle, 'while 8 connections insert': busy };
    for (const [when, times] of Object.entries(figures)) {
      table.add(peer, {
        measurement: `search p99, ${when}`,
        value: quantile(times, 0.99),
        unit: 'ms',
        better: 'less',
        note: when === 'idle' ? `p50 ${quantile(times, 0.5).toFixed(2)} ms` : `${rate} rows/s inserted`,
      });
    }
  });
}

function* repeat(request: Request, times: number): Generator<Request> {
  for (let at = 0; at < times; at += 1) yield request;
}

function* whilst(request: Request, state: { readonly inserting: boolean }): Generator<Request> {
  while (state.inserting) yield request;
}
