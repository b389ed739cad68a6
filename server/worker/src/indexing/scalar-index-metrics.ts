import type { Counter, Histogram, Metrics } from '@elanus/runtime';

export interface ScalarIndexMetrics {
  /** By the type asked for: builds that ended well, and that did not. */
  readonly built: Counter;
  readonly failed: Counter;
  readonly buildSeconds: Histogram;
}

const BUILD_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

export function registerScalarIndexMetrics(
  metrics: Metrics,
  state: { readonly rows: () => number; readonly bytes: () => number; readonly files: () => number },
): ScalarIndexMetrics {
  metrics.gauge('elanus_scalar_index_rows', 'Rows that scalar indexes cover', state.rows);
  metrics.gauge('elanus_scalar_index_bytes', 'Memory of scalar indexes', state.bytes);
  metrics.gauge('elanus_scalar_index_files', 'Scalar indexes that are kept in files', state.files);
  return {
    built: metrics.counter('elanus_scalar_index_builds_total', 'Builds that ended well', ['index_type']),
    failed: metrics.counter('elanus_scalar_index_builds_failed_total', 'Builds that failed', ['index_type']),
    buildSeconds: metrics.histogram(
      'elanus_scalar_index_build_seconds',
      'Length of a build',
      ['index_type'],
      BUILD_SECONDS,
    ),
  };
}
