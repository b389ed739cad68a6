import type { Counter, Histogram, Metrics } from '@elanus/runtime';

/** What the log measures about itself. */
export interface LogMetrics {
  readonly fsyncSeconds: Histogram;
  readonly groupRecords: Histogram;
  readonly bytes: Counter;
  readonly records: Counter;
  readonly failures: Counter;
}

const FSYNC_SECONDS_BUCKETS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5];
const GROUP_RECORDS_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

export function registerLogMetrics(metrics: Metrics): LogMetrics {
  return {
    fsyncSeconds: metrics.histogram(
      'elanus_log_fsync_seconds',
      'Time to write one group of records and have it durable',
      [],
      FSYNC_SECONDS_BUCKETS,
    ),
    groupRecords: metrics.histogram(
      'elanus_log_group_records',
      'Records made durable by one sync',
      [],
      GROUP_RECORDS_BUCKETS,
    ),
    bytes: metrics.counter('elanus_log_bytes_total', 'Bytes written to the log, headers included', []),
    records: metrics.counter('elanus_log_records_total', 'Records made durable', []),
    failures: metrics.counter('elanus_log_write_failures_total', 'Groups that could not be made durable', []),
  };
}
