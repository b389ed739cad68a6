import { denseVectorBytes, isDenseVector, type MetricType, metricOrder } from '@elanus/model';
import type { GraphWalk } from '@elanus/rpc';
import type { Read } from '../read.ts';
import { type RowsToScan, type ScanTools, scanRows } from '../scan-rows.ts';
import type { WeighedSearch } from '../search-shards.ts';
import type { SelectedRows } from '../select-rows.ts';

/** A scan of so many bytes of vectors takes four or five milliseconds of processor time, and misses nothing. */
const SCANNED_BYTES_MAX = 256 * 1024 * 1024;
/** Rows compared to find out how many stand before a page, and runs that they stand in, spread over all. */
const SAMPLE_ROWS = 4096;
const SAMPLE_RUNS = 16;
/** More of them before the page, or in it, than this: no walk goes so far. */
const SAMPLE_HITS_MAX = 64;
/** So many times the hits on the way are kept in view: what a page misses never comes. */
const EF_PER_HIT = 2;
/** A walk that keeps a larger share of the rows in view costs more than a scan. */
const WALKED_SHARE_MAX = 1 / 64;

/**
 * How indexes are used for a page of an iterator: the hits behind a bound. A walk goes through all that stands before the
 * page anew, so it pays at the beginning of a long list only; `null`: a scan costs less, or so little that nothing need
 * be missed.
 */
export async function walkOfPage(
  read: Read,
  search: WeighedSearch,
  tools: ScanTools,
  selected: readonly SelectedRows[],
): Promise<GraphWalk | null> {
  const { walk, field, limit } = search;
  if (walk === null || !isDenseVector(field.dataType) || field.dim === null) return null;
  const rows = selected.reduce((sum, { view, count }) => sum + (count ?? view.rows), 0);
  if (rows * denseVectorBytes(field.dataType, field.dim) <= (tools.pageScanBytesMax ?? SCANNED_BYTES_MAX))
    return null;
  const efMax = rows * WALKED_SHARE_MAX;
  if (EF_PER_HIT * limit > efMax) return null;
  const passed = search.rangeFilter === null ? limit : await hitsPassed(read, search, tools, selected);
  const ef = Math.max(walk.ef, Math.ceil(EF_PER_HIT * passed));
  return ef > efMax ? null : { ...walk, ef };
}

/** Of how many rows at most a walk to the end of the page comes by, as a sample tells. */
async function hitsPassed(
  read: Read,
  search: WeighedSearch,
  tools: ScanTools,
  selected: readonly SelectedRows[],
): Promise<number> {
  const parts = spread(selected);
  const { rangeFilter, radius, metric, limit } = search;
  const sampled = { ...search, limit: SAMPLE_HITS_MAX, radius: radius ?? rangeFilter, rangeFilter: null };
  const { counts, scores } = await scanRows(read, sampled, tools, parts);
  const within = counts[0]!;
  if (within === SAMPLE_HITS_MAX) return Number.POSITIVE_INFINITY;
  const share = countRows(selected) / parts.reduce((sum, { from, to }) => sum + to - from, 0);
  const before = countBetter(scores.subarray(0, within), metric, rangeFilter!);
  const toTheEnd = share * probableMost(before) + limit;
  return radius === null ? toTheEnd : Math.min(toTheEnd, share * probableMost(within));
}

/** What the number that a count was drawn from hardly exceeds. */
function probableMost(count: number): number {
  return count + 2 * Math.sqrt(count + 1) + 1;
}

function countBetter(scores: Float32Array, metric: MetricType, bound: number): number {
  const isAscending = metricOrder(metric) === 'ascending';
  return scores.filter((score) => (isAscending ? score < bound : score > bound)).length;
}

/** Runs of rows, evenly spaced. */
function spread(selected: readonly SelectedRows[]): readonly RowsToScan[] {
  const step = Math.ceil(countRows(selected) / SAMPLE_RUNS);
  const length = Math.min(step, SAMPLE_ROWS / SAMPLE_RUNS);
  const parts: RowsToScan[] = [];
  let next = 0;
  for (const [viewNumber, rows] of selected.entries()) {
    for (; next < rows.view.rows; next += step) {
      const from = next & ~7;
      parts.push({ selected: rows, viewNumber, from, to: Math.min(from + length, rows.view.rows) });
    }
    next -= rows.view.rows;
  }
  return parts;
}

function countRows(selected: readonly SelectedRows[]): number {
  return selected.reduce((sum, { view }) => sum + view.rows, 0);
}
