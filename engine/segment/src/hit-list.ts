import { type MetricType, metricOrder } from '@elanus/model';
import type { RowOrder } from './key-order.ts';
import { type Read, takeTurns } from './read.ts';

/**
 * What one way of searching has found: of query q the hits from `q * stride` on, `counts[q]` of them, best first. Hit i is
 * row `rows[i]` of the read's view `viewOf[i]`.
 */
export interface HitList {
  readonly counts: Uint32Array;
  readonly stride: number;
  readonly viewOf: Uint32Array;
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
  /** Of a search for single elements of lists: which of its row each hit is. */
  readonly elements?: Uint32Array;
}

/** Hits merged between two looks at the clock. */
const PIECE_HITS = 4096;

/** The best `k` of all lists together for each query, equal scores by key. The lists name different rows. */
export async function mergeHits(
  read: Read,
  lists: readonly HitList[],
  k: number,
  options: { readonly metric: MetricType; readonly order: RowOrder },
): Promise<HitList> {
  const [first] = lists;
  if (lists.length === 1) return first!;
  const sign = metricOrder(options.metric) === 'ascending' ? 1 : -1;
  const queries = first!.counts.length;
  const areElements = lists.some(({ elements }) => elements !== undefined);
  const merged = {
    ...emptyHits(queries, k),
    ...(areElements ? { elements: new Uint32Array(queries * k) } : {}),
  };
  const heads = new Uint32Array(lists.length);
  for (let query = 0, done = 0; query < queries; query++) {
    if (done >= PIECE_HITS) {
      await takeTurns(read);
      done = 0;
    }
    done += mergeQuery(lists, query, merged, { heads, sign, order: options.order });
  }
  return merged;
}

/** No hits yet of so many queries, and room for `k` of each. */
export function emptyHits(queries: number, k: number): HitList {
  return {
    counts: new Uint32Array(queries),
    stride: k,
    viewOf: new Uint32Array(queries * k),
    rows: new Uint32Array(queries * k),
    scores: new Float32Array(queries * k),
  };
}

/** Puts hits of one query whose scores are equal in the order of their keys; elements of a row stay as they are. */
export function orderTies(list: HitList, query: number, order: RowOrder): void {
  const { counts, stride, viewOf, rows, scores, elements } = list;
  const start = query * stride;
  const end = start + counts[query]!;
  for (let from = start; from < end; ) {
    let to = from + 1;
    while (to < end && scores[to] === scores[from]) to++;
    if (to - from > 1) {
      const tied = Array.from({ length: to - from }, (_, i) => ({
        view: viewOf[from + i]!,
        row: rows[from + i]!,
        element: elements?.[from + i] ?? 0,
      }));
      tied.sort((a, b) => order(a.view, a.row, b.view, b.row));
      for (const [i, { view, row, element }] of tied.entries()) {
        viewOf[from + i] = view;
        rows[from + i] = row;
        if (elements !== undefined) elements[from + i] = element;
      }
    }
    from = to;
  }
}

/** Merges one query's hits; returns how many there are. */
function mergeQuery(
  lists: readonly HitList[],
  query: number,
  merged: HitList,
  { heads, sign, order }: { readonly heads: Uint32Array; readonly sign: number; readonly order: RowOrder },
): number {
  heads.fill(0);
  const { stride } = merged;
  let count = 0;
  for (; count < stride; count++) {
    let best = -1;
    for (let at = 0; at < lists.length; at++) {
      if (heads[at]! >= lists[at]!.counts[query]!) continue;
      if (best < 0 || isBefore(lists, query, heads, { at, best, sign, order })) best = at;
    }
    if (best < 0) break;
    const list = lists[best]!;
    const from = query * list.stride + heads[best]!;
    const to = query * stride + count;
    merged.viewOf[to] = list.viewOf[from]!;
    merged.rows[to] = list.rows[from]!;
    merged.scores[to] = list.scores[from]!;
    if (merged.elements !== undefined) merged.elements[to] = list.elements?.[from] ?? 0;
    heads[best]! += 1;
  }
  merged.counts[query] = count;
  return count;
}

/** Whether the next hit of list `at` comes before that of list `best`. */
function isBefore(
  lists: readonly HitList[],
  query: number,
  heads: Uint32Array,
  {
    at,
    best,
    sign,
    order,
  }: { readonly at: number; readonly best: number; readonly sign: number; readonly order: RowOrder },
): boolean {
  const [a, b] = [lists[at]!, lists[best]!];
  const [hitA, hitB] = [query * a.stride + heads[at]!, query * b.stride + heads[best]!];
  const difference = sign * (a.scores[hitA]! - b.scores[hitB]!);
  if (difference !== 0) return difference < 0;
  return order(a.viewOf[hitA]!, a.rows[hitA]!, b.viewOf[hitB]!, b.rows[hitB]!) < 0;
}
