import type { Bm25Scoring } from '@elanus/kernel';
import type { FieldId } from '@elanus/model';
import type { QueryVectors, SparseScoring } from '@elanus/rpc';
import { type Read, takeTurns } from '../read.ts';
import { PAIR_BYTES } from './sparse-rows.ts';
import { termStatistics } from './term-statistics.ts';

/** Sparse queries as the kernel takes them. */
export interface WeighedQueries {
  readonly queries: QueryVectors;
  /** `null`: by inner product. */
  readonly bm25: Bm25Scoring | null;
}

/**
 * Of BM25 each word's count becomes its weight: count x idf, by the statistics of all rows that the read may see; words
 * that no row has are left out. Then the smallest weights are left out as the search asks.
 */
export async function weighQueries(
  read: Read,
  field: FieldId,
  queries: QueryVectors,
  { bm25, dropRatio }: SparseScoring,
): Promise<WeighedQueries> {
  if (bm25 === null) {
    if (dropRatio === 0) return { queries, bm25: null };
    const kept = await rebuilt(read, queries, (query) => withoutSmallest(query, dropRatio));
    return { queries: kept, bm25: null };
  }
  const { k1, b } = bm25;
  const dimensions = dimensionsOf(queries);
  const { rows, totalLength, frequencies } = await termStatistics(read, field, dimensions);
  const idf = frequencies.map((frequency) => Math.log(1 + (rows - frequency + 0.5) / (frequency + 0.5)));
  const placeOf = new Map(Array.from(dimensions, (dimension, at) => [dimension, at]));
  const weighed = await rebuilt(read, queries, (query) => {
    const weights = query.map(
      ([dimension, count]) => [dimension, count * idf[placeOf.get(dimension)!]!] as const,
    );
    return withoutSmallest(weights, dropRatio).filter(
      ([dimension]) => frequencies[placeOf.get(dimension)!]! > 0,
    );
  });
  return { queries: weighed, bm25: { k1, b, averageLength: Math.max(1, totalLength / Math.max(rows, 1)) } };
}

type Pair = readonly [dimension: number, weight: number];

/** All but the share `ratio` of the pairs that weighs least, whatever the sign; what weighs the same stays. */
function withoutSmallest(pairs: readonly Pair[], ratio: number): readonly Pair[] {
  const dropped = Math.floor(ratio * pairs.length);
  if (dropped === 0) return pairs;
  const least = Float64Array.from(pairs, ([, weight]) => Math.abs(weight)).sort()[dropped]!;
  return pairs.filter(([, weight]) => Math.abs(weight) >= least);
}

/** Of all queries, each once, ascending. */
function dimensionsOf({ bytes, offsets, count }: QueryVectors): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seen = new Set<number>();
  for (let at = offsets![0]!; at < offsets![count]!; at += PAIR_BYTES) seen.add(view.getUint32(at, true));
  return Uint32Array.from(seen).sort();
}

/** Pairs that are passed between two looks at the clock. */
const PAIRS_PER_TURN = 2048;

/** Each query as `change` makes it; the order of pairs must stay. */
async function rebuilt(
  read: Read,
  { dataType, dim, count, bytes, offsets }: QueryVectors,
  change: (pairs: readonly Pair[]) => readonly Pair[],
): Promise<QueryVectors> {
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const target = new DataView(new ArrayBuffer(bytes.byteLength));
  const ends = new Uint32Array(count + 1);
  for (let query = 0, used = 0, turnEnd = 0; query < count; query++) {
    if (offsets![query]! >= turnEnd) {
      await takeTurns(read);
      turnEnd = offsets![query]! + PAIRS_PER_TURN * PAIR_BYTES;
    }
    const pairs: Pair[] = [];
    for (let at = offsets![query]!; at < offsets![query + 1]!; at += PAIR_BYTES)
      pairs.push([source.getUint32(at, true), source.getFloat32(at + 4, true)]);
    for (const [dimension, weight] of change(pairs)) {
      target.setUint32(used, dimension, true);
      target.setFloat32(used + 4, weight, true);
      used += PAIR_BYTES;
    }
    ends[query + 1] = used;
  }
  return { dataType, dim, count, bytes: new Uint8Array(target.buffer, 0, ends[count]!), offsets: ends };
}
