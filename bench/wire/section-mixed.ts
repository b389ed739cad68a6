import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { InsertLoad } from './insert-load.ts';
import { latencies, quantile, repeat, whilst, withConnections } from './measure.ts';
import { insert, search, searchIds } from './messages.ts';
import { loopDelayMs } from './metrics.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const BATCH_ROWS = 1_000;
const ROWS_SEARCHED = 10_000;
const INSERT_BATCHES = 1_500;
const INSERTERS = 8;
const SEARCHES = { warmUp: 1_000, idle: 1_000 } as const;
/** milvus-lite answers some fifteen a second. */
const SEARCHES_LITE = { warmUp: 30, idle: 200 } as const;

/** One connection searches a small collection while eight insert into another: what becomes of its latency? */
export async function measureMixed(peer: Peer, table: Table): Promise<void> {
  const vectors = clusteredVectors(ROWS_SEARCHED, DIM, 6);
  const isLite = peer.name.startsWith('milvus-lite');
  const batches = isLite ? INSERT_BATCHES / 20 : INSERT_BATCHES;
  const { warmUp, idle: idleSearches } = isLite ? SEARCHES_LITE : SEARCHES;
  await withConnections(peer, 1, async ([searcher]) => {
    await emptyCollection(searcher!, 'mixed_search', DIM);
    await emptyCollection(searcher!, 'mixed_insert', DIM);
    const loaded = insert('mixed_search', 0, vectors, DIM);
    expectInserted(await searcher!.call(loaded.path, loaded.frame));
    const query = vectors.subarray(0, DIM);
    const request = search('mixed_search', query, DIM, { limit: 10, consistency: 'bounded' });
    await latencies(searcher!, repeat(request, warmUp), searchIds);
    const idle = await latencies(searcher!, repeat(request, idleSearches), searchIds);

    const { host, port } = peer;
    const load: InsertLoad = {
      host,
      port,
      collection: 'mixed_insert',
      dim: DIM,
      batchRows: BATCH_ROWS,
      batches,
      connections: INSERTERS,
    };
    const inserters = new Worker(new URL('./insert-load.ts', import.meta.url), { workerData: load });
    await once(inserters, 'message');
    await loopDelayMs(peer); // Reading it begins a new measurement.
    let isInserting = true;
    const inserted = once(inserters, 'message').then(([seconds]) => {
      isInserting = false;
      return seconds as number;
    });
    inserters.postMessage('go');
    const busy = await latencies(
      searcher!,
      whilst(request, () => isInserting),
      searchIds,
    );
    const rate = Math.round((batches * BATCH_ROWS) / (await inserted));
    await inserters.terminate();
    const p50 = (times: readonly number[]) => `p50 ${quantile(times, 0.5).toFixed(2)} ms`;
    const unit = { unit: 'ms', better: 'less' } as const;
    table.add(peer, {
      measurement: 'search p99, idle',
      value: quantile(idle, 0.99),
      ...unit,
      note: p50(idle),
    });
    table.add(peer, {
      measurement: `search p99 while ${INSERTERS} connections insert`,
      value: quantile(busy, 0.99),
      ...unit,
      note: `${p50(busy)}, ${rate} rows/s inserted`,
    });
    const delay = await loopDelayMs(peer);
    if (delay !== null)
      table.add(peer, { measurement: 'event-loop delay p99 meanwhile', value: delay, ...unit });
  });
}
