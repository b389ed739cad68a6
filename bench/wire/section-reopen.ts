import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { drain, withConnections } from './measure.ts';
import { insert, search, searchIds } from './messages.ts';
import { startElanus } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const ROWS = 1_000_000;
const BATCH_ROWS = 5_000;

/** How long a directory with a million rows in the log takes from start to its first answered search. */
export async function measureReopen(table: Table): Promise<void> {
  const data = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-reopen-'));
  const vectors = clusteredVectors(BATCH_ROWS, DIM, 7);
  const before = await startElanus({ data });
  await withConnections(before, 2, async (connections) => {
    await emptyCollection(connections[0]!, 'reopen', DIM);
    const requests = Array.from({ length: ROWS / BATCH_ROWS }, (_, at) =>
      insert('reopen', at * BATCH_ROWS, vectors, DIM),
    );
    await drain(connections, requests, expectInserted);
  });
  await before.stop();
  const startedMs = performance.now();
  const after = await startElanus({ data });
  await withConnections(after, 1, async ([connection]) => {
    const { path, frame } = search('reopen', vectors.subarray(0, DIM), DIM, {
      limit: 1,
      consistency: 'strong',
    });
    if (searchIds(await connection!.call(path, frame)).length !== 1)
      throw new Error('the rows are not there');
  });
  table.add(after, {
    measurement: 'reopen 1,000,000 x 128 from the log, to the first search',
    value: performance.now() - startedMs,
    unit: 'ms',
    better: 'less',
    note: `ready after ${Math.round(after.startMs)} ms`,
  });
  await after.stop();
  rmSync(data, { recursive: true, force: true });
}
