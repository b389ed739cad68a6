import { type KeyColumn, metricOrder } from '@elanus/model';
import type { MissedRow, RecallAnalysis } from '@elanus/rpc';
import type { HitList } from '../hit-list.ts';
import { type Read, takeTurns } from '../read.ts';
import { keysOfRows } from '../row-list.ts';
import { type ScanTools, scanRows } from '../scan-rows.ts';
import type { WeighedSearch } from '../search-shards.ts';
import type { SelectedRows } from '../select-rows.ts';

/** What a search has found, of which rows. */
export interface FoundHits {
  readonly selected: readonly SelectedRows[];
  readonly found: HitList;
  readonly keyType: KeyColumn['dataType'];
}

/** Missed rows that are told of at most, over all queries. */
const MISSED_MAX = 1024;

/**
 * Compares the hits with those of an exact search over the very same rows. A hit counts as found when its score is as
 * good as the last of the exact ones, for rows tie.
 */
export async function analyzeRecall(
  read: Read,
  search: WeighedSearch,
  tools: ScanTools,
  { selected, found, keyType }: FoundHits,
): Promise<RecallAnalysis> {
  const parts = selected.map((rows, viewNumber) => ({
    selected: rows,
    viewNumber,
    from: 0,
    to: rows.view.rows,
  }));
  const exact = await scanRows(read, search, tools, parts);
  const isDistance = metricOrder(search.metric) === 'ascending';
  const recalls = new Float32Array(exact.counts.length);
  const missed: MissedRow[] = [];
  const places: number[] = [];
  for (let query = 0; query < recalls.length; query++) {
    await takeTurns(read);
    const wanted = exact.counts[query]!;
    const right = rightHits(found, exact, query, isDistance);
    recalls[query] = wanted === 0 ? 1 : right / wanted;
    if (right === wanted) continue;
    for (const at of missedPlaces(found, exact, query).slice(0, wanted - right)) {
      if (missed.length === MISSED_MAX) break;
      missed.push({ query, score: exact.scores[at]! });
      places.push(at);
    }
  }
  const views = selected.map(({ view }) => view);
  const viewOf = Uint32Array.from(places, (at) => exact.viewOf[at]!);
  const rows = Uint32Array.from(places, (at) => exact.rows[at]!);
  const missedKeys = await keysOfRows(read, { views, viewOf, rows }, keyType);
  return { recalls, missed, missedKeys };
}

/** How many hits of a query are as good as the last of the exact ones. */
export function rightHits(found: HitList, exact: HitList, query: number, isDistance: boolean): number {
  const wanted = exact.counts[query]!;
  if (wanted === 0) return 0;
  const worst = exact.scores[query * exact.stride + wanted - 1]!;
  const first = query * found.stride;
  let right = 0;
  for (let at = first; at < first + found.counts[query]! && right < wanted; at++) {
    const score = found.scores[at]!;
    if (isDistance ? score <= worst : score >= worst) right += 1;
  }
  return right;
}

/** Where among the exact hits of a query those are that were not found, best first. */
function missedPlaces(found: HitList, exact: HitList, query: number): readonly number[] {
  const known = new Set<number>();
  const first = query * found.stride;
  for (let at = first; at < first + found.counts[query]!; at++)
    known.add(found.viewOf[at]! * 2 ** 32 + found.rows[at]!);
  const start = query * exact.stride;
  const places = Array.from({ length: exact.counts[query]! }, (_, i) => start + i);
  return places.filter((at) => !known.has(exact.viewOf[at]! * 2 ** 32 + exact.rows[at]!));
}
