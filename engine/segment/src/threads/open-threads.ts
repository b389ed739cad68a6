import type { SegmentRequest, SegmentResult } from './segment-requests.ts';
import { ThreadPool } from './thread-pool.ts';

/** Threads that test rows and build indexes over the columns of chunks. */
export type SegmentThreads = ThreadPool<SegmentRequest, SegmentResult>;

const SCRIPT = new URL('./segment-thread.ts', import.meta.url);
const NICENESS = { usual: 0, low: 10 } as const;

/** Opens `threads` of them; with `low` priority they leave the processor to others. */
export function openSegmentThreads(threads: number, priority: 'usual' | 'low' = 'usual'): SegmentThreads {
  return new ThreadPool(SCRIPT, { threads, data: { niceness: NICENESS[priority] } });
}
