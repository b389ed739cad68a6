import type { Counter, Histogram, Metrics } from '@elanus/runtime';

export interface FlushMetrics {
  /** Rows and bytes that were published in files. */
  readonly rows: Counter;
  readonly bytes: Counter;
  /** From the cut to the end, tries that failed included. */
  readonly flushSeconds: Histogram;
  /** Tries that failed. */
  readonly failures: Counter;
}

const FLUSH_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

export function registerFlushMetrics(metrics: Metrics): FlushMetrics {
  return {
    rows: metrics.counter('elanus_flush_rows_total', 'Rows written to files', []),
    bytes: metrics.counter('elanus_flush_bytes_total', 'Bytes of rows and deletions written to files', []),
    flushSeconds: metrics.histogram('elanus_flush_seconds', 'Duration of a flush', [], FLUSH_SECONDS),
    failures: metrics.counter('elanus_flush_failures_total', 'Tries of flushes that failed', []),
  };
}
