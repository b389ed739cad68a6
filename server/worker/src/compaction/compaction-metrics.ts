import type { Counter, Histogram, Metrics } from '@elanus/runtime';

export interface CompactionMetrics {
  /** Groups of segments that were put together, or not. */
  readonly compactions: Counter;
  /** Rows that were written anew, and deleted ones that were left out. */
  readonly rows: Counter;
  /** Bytes of the files that were replaced, and of those in their place. */
  readonly bytes: Counter;
  /** From the first look at the rows to the end. */
  readonly seconds: Histogram;
}

const COMPACTION_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];

/** `running` tells how many groups are under way, and how many wait. */
export function registerCompactionMetrics(
  metrics: Metrics,
  running: () => { readonly running: number; readonly waiting: number },
): CompactionMetrics {
  metrics.gauges(
    'elanus_compactions',
    'Groups of segments that are put together now, or wait for it',
    ['state'],
    () => {
      const { running: now, waiting } = running();
      return [
        [{ state: 'running' }, now],
        [{ state: 'waiting' }, waiting],
      ];
    },
  );
  return {
    compactions: metrics.counter('elanus_compactions_total', 'Groups of segments put together', ['outcome']),
    rows: metrics.counter('elanus_compaction_rows_total', 'Rows written anew, and rows left out', ['kind']),
    bytes: metrics.counter('elanus_compaction_bytes_total', 'Bytes of files replaced, and written', ['kind']),
    seconds: metrics.histogram(
      'elanus_compaction_seconds',
      'Duration of putting a group together',
      [],
      COMPACTION_SECONDS,
    ),
  };
}
