import type { Counter, Histogram, Metrics } from '@elanus/runtime';

export interface IndexMetrics {
  /** By the type asked for, what it is and in which layout: builds that ended well. */
  readonly built: Counter;
  readonly failed: Counter;
  readonly rowsBuilt: Counter;
  readonly buildSeconds: Histogram;
}

export interface IndexedPieceState {
  readonly rows: number;
  readonly memoryBytes: number;
  readonly layout: string;
}

/** What the gauges read. */
export interface IndexState {
  /** The percentages of the builds that run. */
  readonly running: () => readonly number[];
  readonly waiting: () => number;
  readonly pieces: () => readonly IndexedPieceState[];
}

const LABELS = ['index_type', 'built_as', 'layout'] as const;
const BUILD_SECONDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000];

export function registerIndexMetrics(metrics: Metrics, state: IndexState): IndexMetrics {
  metrics.gauge('elanus_index_builds_running', 'Index builds under way', () => state.running().length);
  metrics.gauge('elanus_index_builds_waiting', 'Index builds that wait for their turn', state.waiting);
  metrics.gauge('elanus_index_build_percent', 'How far the builds under way are, on average', () => {
    const running = state.running();
    return running.reduce((sum, percent) => sum + percent, 0) / Math.max(running.length, 1);
  });
  metrics.gauge('elanus_index_rows', 'Rows that an index covers', () =>
    state.pieces().reduce((sum, { rows }) => sum + rows, 0),
  );
  metrics.gauge('elanus_index_pieces', 'Indexes that searches go through', () => state.pieces().length);
  metrics.gauge('elanus_index_bytes', 'Memory of indexes', () =>
    state.pieces().reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  );
  metrics.gauges('elanus_index_layout_rows', 'Rows that indexes of one layout cover', ['layout'], () => {
    const rowsOf = new Map<string, number>();
    for (const { layout, rows } of state.pieces()) rowsOf.set(layout, (rowsOf.get(layout) ?? 0) + rows);
    return Array.from(rowsOf, ([layout, rows]) => [{ layout }, rows] as const);
  });
  return {
    built: metrics.counter('elanus_index_builds_total', 'Index builds that ended well', LABELS),
    failed: metrics.counter('elanus_index_builds_failed_total', 'Index builds that failed', ['index_type']),
    rowsBuilt: metrics.counter('elanus_index_rows_built_total', 'Rows that builds have gone through', LABELS),
    buildSeconds: metrics.histogram('elanus_index_build_seconds', 'Length of a build', LABELS, BUILD_SECONDS),
  };
}
