import type { Counter, Histogram, Metrics } from '@elanus/runtime';
import type { ByteBudget } from './byte-budget.ts';
import type { ServedCollections } from './served-collections.ts';

export interface WorkerMetrics {
  /** By kind of write: rows (of a delete, keys) that were acknowledged. */
  readonly rowsWritten: Counter;
  /** Seconds from durable to visible. */
  readonly applySeconds: Histogram;
  /** Rows read back from the log since the start. */
  readonly rowsReplayed: Counter;
}

const APPLY_SECONDS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

export function registerWorkerMetrics(
  metrics: Metrics,
  sources: { readonly collections: ServedCollections; readonly budget: ByteBudget },
): WorkerMetrics {
  const shards = () => sources.collections.all().flatMap((collection) => collection.shards);
  metrics.gauge('elanus_worker_rows', 'Live rows of all collections', () =>
    shards().reduce((sum, shard) => sum + [...shard.liveRows().values()].reduce((a, b) => a + b, 0), 0),
  );
  metrics.gauge('elanus_worker_segment_bytes', 'Memory of rows, key indexes and bitmaps', () =>
    shards().reduce((sum, shard) => sum + shard.byteLength, 0),
  );
  metrics.gauge(
    'elanus_worker_write_bytes',
    'Bytes of writes that are not visible yet',
    () => sources.budget.bytesUsed,
  );
  return {
    rowsWritten: metrics.counter('elanus_worker_rows_written_total', 'Rows or keys written', ['kind']),
    applySeconds: metrics.histogram(
      'elanus_worker_apply_seconds',
      'From durable to visible',
      [],
      APPLY_SECONDS,
    ),
    rowsReplayed: metrics.counter('elanus_worker_rows_replayed_total', 'Rows or keys read from the log', []),
  };
}
