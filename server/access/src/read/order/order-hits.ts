import type { CollectionInfo } from '@elanus/model';
import type { OrderKey, SearchHits } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { takeHits } from '../hits.ts';
import { compareRows } from './compare-rows.ts';

/** The hits of each query by the values of fields; what is equal in all of them stays as it was, best first. */
export async function orderHits(
  { reader }: Pick<AccessDependencies, 'reader'>,
  collection: CollectionInfo,
  hits: SearchHits,
  orderBy: readonly OrderKey[],
): Promise<SearchHits> {
  if (orderBy.length === 0 || hits.keys.length === 0) return hits;
  const fields = [...new Set(orderBy.map(({ field }) => field))];
  const columns = await reader.fetch(collection.id, hits.locations, fields);
  const compare = compareRows(orderBy.map((key) => ({ ...key, column: columns.get(key.field)! })));
  return takeHits(hits, hits.counts, sortedWithin(hits.counts, compare));
}

/** The places of all hits, sorted within each query. */
export function sortedWithin(counts: Uint32Array, compare: (a: number, b: number) => number): Uint32Array {
  const length = counts.reduce((sum, count) => sum + count, 0);
  const places = Uint32Array.from({ length }, (_, at) => at);
  let start = 0;
  for (const count of counts) {
    places.subarray(start, start + count).sort((a, b) => compare(a, b) || a - b);
    start += count;
  }
  return places;
}
