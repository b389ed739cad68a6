import { decode, encode } from '@elanus/proto';
import type { MilvusClient } from './milvus-client.ts';
import type { SourceCollection } from './source-collection.ts';

const STRONG = 0;
const HITS = 10;
/** `DataType` of vectors, which are `PlaceholderType`s with the same numbers. */
export const VECTOR_TYPES = { first: 100, last: 105 } as const;

/** Queries by the vectors of one field. */
export interface SampledQueries {
  readonly field: string;
  readonly dataType: number;
  readonly metric: string;
  readonly vectors: readonly Uint8Array[];
}

interface Hits {
  readonly ids: readonly string[];
  readonly scores: readonly number[];
}

/**
 * How many hits of the source the target has as well, 0 to 1, mean over the queries. One that is as far as the last one of the
 * target could as well stand in its place: it counts.
 */
export async function overlapOf(
  source: MilvusClient,
  target: MilvusClient,
  collection: SourceCollection,
  queries: SampledQueries,
): Promise<number> {
  const there = await hitsOf(source, collection, queries);
  const here = await hitsOf(target, collection, queries);
  const shares = there.map(({ ids, scores }, at) => {
    const own = here[at] ?? { ids: [], scores: [] };
    const shared = ids.filter((id, hit) => own.ids.includes(id) || scores[hit] === own.scores.at(-1));
    return shared.length / Math.max(1, ids.length);
  });
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
}

async function hitsOf(
  client: MilvusClient,
  { collectionName, dbName }: SourceCollection,
  { field, dataType, metric, vectors }: SampledQueries,
): Promise<readonly Hits[]> {
  const { results } = await client.call('Search', dbName || 'default', {
    collectionName,
    dslType: 1,
    placeholderGroup: encode('common.PlaceholderGroup', {
      placeholders: [{ tag: '$0', type: dataType, values: [...vectors] }],
    }),
    nq: BigInt(vectors.length),
    consistencyLevel: STRONG,
    searchParams: Object.entries({
      anns_field: field,
      topk: String(HITS),
      metric_type: metric,
      params: JSON.stringify({ ef: 128, nprobe: 64 }),
      round_decimal: '-1',
      offset: '0',
    }).map(([key, value]) => ({ key, value })),
  });
  const found = decode('schema.SearchResultData', results ?? new Uint8Array(0));
  const ids = (found.ids?.intId?.data ?? found.ids?.strId?.data ?? []).map(String);
  const scores = [...found.scores];
  let from = 0;
  return found.topks.map((count) => {
    const to = from + Number(count);
    const hits = { ids: ids.slice(from, to), scores: scores.slice(from, to) };
    from = to;
    return hits;
  });
}
