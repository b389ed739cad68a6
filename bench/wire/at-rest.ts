import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { metricsOf } from './metrics.ts';
import type { Peer } from './peers.ts';

/** Pieces of an index are put together when writes have rested for so long, and for so many rows longer; then they go to files. */
const REST_MS = 15_000;
const ROWS_PER_MS_OF_REST = 20;
const REST_WITHIN_MS = 900_000;
const POLL_MS = 500;

/** Resolves when a server has built no index for a while: all pieces of so many rows are put together. */
export async function untilAtRest(server: Peer, rows: number): Promise<void> {
  const enoughMs = REST_MS + rows / ROWS_PER_MS_OF_REST;
  const untilMs = performance.now() + REST_WITHIN_MS;
  let restSinceMs = performance.now();
  while (performance.now() - restSinceMs < enoughMs) {
    if (performance.now() > untilMs)
      throw new Error(`indexes are still being built after ${REST_WITHIN_MS / 1000} s`);
    const metric = await metricsOf(server);
    if (metric('elanus_index_builds_running') + metric('elanus_index_builds_waiting') > 0)
      restSinceMs = performance.now();
    await sleep(POLL_MS);
  }
}
