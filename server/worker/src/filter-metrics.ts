import type { Metrics } from '@elanus/runtime';
import type { FilterCache } from '@elanus/segment';

/** How often filters were known, chunk by chunk, and what keeping them takes. */
export function registerFilterMetrics(metrics: Metrics, cache: FilterCache): void {
  metrics.gauge('elanus_filter_cache_bytes', 'Memory of what filters have found', () => cache.bytes);
  metrics.gauge('elanus_filter_cache_hits', 'Chunks whose matches were known', () => cache.hits);
  metrics.gauge('elanus_filter_cache_misses', 'Chunks whose matches had to be found', () => cache.misses);
  metrics.gauge('elanus_filter_cache_hit_ratio', 'Share of hits among both since the start', () => {
    const { hits, misses } = cache;
    return hits / Math.max(1, hits + misses);
  });
}
