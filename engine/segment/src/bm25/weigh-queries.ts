import type { Bm25Scoring } from '@elanus/kernel';
import type { FieldId } from '@elanus/model';
import type { QueryVectors, SparseScoring } from '@elanus/rpc';
import { type Read, takeTurns } from '../read.ts';
import { PAIR_BYTES } from './sparse-rows.ts';
import { TermStatistics } from './term-statistics.ts';

/** Sparse queries as the kernel takes them. */
export interface WeighedQueries {
  readonly queries: QueryVectors;
  /** `null`: by inner product. */
  readonly bm25: Bm25Scoring | null;
}

const NO_DIMENSIONS = new Uint32Array(0);

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
    return { queries: await rebuilt(read, queries, dropRatio, asTheyAre), bm25: null };
  }
  const { k1, b } = bm25;
  const statistics = await TermStatistics.open(read, field);
  const { rows, totalLength } = statistics.sum(NO_DIMENSIONS);
  const weighed = await rebuilt(read, queries, dropRatio, (dimensions, values) => {
    const { frequencies } = statistics.sum(dimensions);
    for (let at = 0; at < values.length; at++) {
      const frequency = frequencies[at]!;
      values[at]! *= Math.log(1 + (rows - frequency + 0.5) / (frequency + 0.5));
    }
    return frequencies;
  });
  const averageLength = Math.max(1, totalLength / Math.max(rows, 1));
  return { queries: weighed, bm25: { k1, b, averageLength } };
}

/** Turns values into weights, and says of each dimension in how many rows it is: in none, it may be left out. */
type Weigh = (dimensions: Uint32Array, values: Float64Array) => Float64Array | null;

const asTheyAre: Weigh = () => null;

/** Pairs that are weighed between two looks at the clock. */
const PAIRS_PER_TURN = 512;

/** The queries with other weights, the smallest left out; the order of dimensions stays. */
async function rebuilt(
  read: Read,
  { dataType, dim, count, bytes, offsets }: QueryVectors,
  dropRatio: number,
  weigh: Weigh,
): Promise<QueryVectors> {
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const target = new DataView(new ArrayBuffer(bytes.byteLength));
  const ends = new Uint32Array(count + 1);
  let used = 0;
  let sinceTurn = 0;
  const passed = async (pairs: number): Promise<void> => {
    sinceTurn += pairs;
    if (sinceTurn < PAIRS_PER_TURN) return;
    sinceTurn = 0;
    await takeTurns(read);
  };
  for (let query = 0; query < count; query++) {
    const from = offsets![query]!;
    const length = (offsets![query + 1]! - from) / PAIR_BYTES;
    const dimensions = new Uint32Array(length);
    const weights = new Float64Array(length);
    /** 1 for dimensions that some row has. */
    const found = new Uint8Array(length);
    for (let start = 0; start < length; start += PAIRS_PER_TURN) {
      const end = Math.min(length, start + PAIRS_PER_TURN);
      for (let at = start; at < end; at++) {
        dimensions[at] = source.getUint32(from + at * PAIR_BYTES, true);
        weights[at] = source.getFloat32(from + at * PAIR_BYTES + 4, true);
      }
      const frequencies = weigh(dimensions.subarray(start, end), weights.subarray(start, end));
      for (let at = start; at < end; at++)
        found[at] = frequencies === null || frequencies[at - start]! > 0 ? 1 : 0;
      await passed(end - start);
    }
    const least = leastKept(weights, dropRatio);
    for (let at = 0; at < length; at++) {
      if (found[at] === 0 || Math.abs(weights[at]!) < least) continue;
      target.setUint32(used, dimensions[at]!, true);
      target.setFloat32(used + 4, weights[at]!, true);
      used += PAIR_BYTES;
    }
    ends[query + 1] = used;
  }
  return { dataType, dim, count, bytes: new Uint8Array(target.buffer, 0, used), offsets: ends };
}

/** The smallest weight, whatever its sign, that stays when the share `ratio` of the weights goes; equal ones stay. */
function leastKept(weights: Float64Array, ratio: number): number {
  const dropped = Math.floor(ratio * weights.length);
  return dropped === 0 ? 0 : weights.map(Math.abs).sort()[dropped]!;
}
