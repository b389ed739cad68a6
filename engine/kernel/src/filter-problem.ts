/** Filters of every kind over vectors that are made for tests, and how much of the best allowed rows a search finds. */
import assert from 'node:assert/strict';
import type { MetricType } from '@elanus/model';
import { randomSource } from './random-search.ts';
import { scoreOf, type Vectors } from './random-vectors.ts';
import type { IndexSearch, VectorIndex } from './vector-index.ts';

const K = 10;
/** Of the rows that are allowed. */
const SHARES = [0.5, 0.1, 0.01, 0.001] as const;

/** The rows that each query may find, `null` for all; and the best of them, which it should. */
export interface Filter {
  readonly name: string;
  readonly allowed: readonly (Uint8Array | null)[];
  readonly best: readonly ReadonlySet<number>[];
}

export interface FilterProblem {
  readonly queries: Vectors;
  readonly none: Filter;
  /** Each of `SHARES` at every place. */
  readonly filters: readonly Filter[];
  /** One more, of the bitmap that each query gets. */
  readonly filterOf: (name: string, allowedOf: () => Uint8Array) => Filter;
}

export type Effort = Pick<IndexSearch, 'ef' | 'refineK' | 'way'>;

/** All rows, nearest first: to a query, and to the row that is farthest from it. */
interface Orders {
  readonly fromQuery: Uint32Array;
  readonly fromFarthest: Uint32Array;
}

/** How so many allowed rows of all may stand to a query. */
const PLACES: Readonly<Record<string, (count: number, orders: Orders) => Iterable<number>>> = {
  nearest: (count, { fromQuery }) => fromQuery.slice(0, count),
  farthest: (count, { fromQuery }) => fromQuery.slice(fromQuery.length - count),
  'around the farthest': (count, { fromFarthest }) => fromFarthest.slice(0, count),
  'one after the other': (count, { fromQuery }) =>
    Array.from({ length: count }, (_, row) => row + Math.floor(fromQuery.length / 13)),
};

export function filterProblem(metric: MetricType, rows: Vectors, queries: Vectors): FilterProblem {
  const around = new Map<number, Uint32Array>();
  const orders = queries.values.map((query): Orders => {
    const fromQuery = byNearness(metric, rows, query);
    const farthest = fromQuery.at(-1)!;
    const fromFarthest = around.get(farthest) ?? byNearness(metric, rows, rows.values[farthest]!);
    around.set(farthest, fromFarthest);
    return { fromQuery, fromFarthest };
  });
  const filterOf = (name: string, allowedOf: (orders: Orders) => Uint8Array | null): Filter => {
    const allowed = orders.map(allowedOf);
    const best = allowed.map((bits, query) => {
      const first = new Set<number>();
      for (const row of orders[query]!.fromQuery) {
        if (bits === null || isIn(bits, row)) first.add(row);
        if (first.size === K) break;
      }
      return first;
    });
    return { name, allowed, best };
  };
  const filters = SHARES.flatMap((share) => {
    const drawn = anywhere(rows.rows, share);
    const placed = Object.entries(PLACES).map(([place, numbersOf]) =>
      filterOf(`${100 * share} % ${place}`, (order) =>
        bitmapOf(rows.rows, numbersOf(share * rows.rows, order)),
      ),
    );
    return [filterOf(`${100 * share} % anywhere`, () => drawn), ...placed];
  });
  return { queries, none: filterOf('all', () => null), filters, filterOf };
}

/** A bitmap of about so large a share of the rows, drawn by chance. */
export function anywhere(rows: number, share: number): Uint8Array {
  const random = randomSource(11);
  const numbers = Array.from({ length: rows }, (_, row) => row);
  return bitmapOf(
    rows,
    numbers.filter(() => random() < share),
  );
}

/** The share of the best allowed rows that are found. */
export function recallUnder(index: VectorIndex, queries: Vectors, filter: Filter, effort: Effort): number {
  let found = 0;
  let wanted = 0;
  for (const [query, best] of filter.best.entries()) {
    const allowed = filter.allowed[query]!;
    const hits = index.searchSync({ ...searchFor(queries, query, allowed), ...effort });
    const rows = hits.rows.subarray(0, hits.counts[0]);
    assert.ok(allowed === null || rows.every((row) => isIn(allowed, row)));
    assert.equal(new Set(rows).size, rows.length, 'a row twice');
    wanted += best.size;
    found += rows.reduce((sum, row) => sum + (best.has(row) ? 1 : 0), 0);
  }
  return wanted === 0 ? 1 : found / wanted;
}

/** Asks for the K nearest of query number `query`. */
export function searchFor(
  queries: Vectors,
  query: number,
  allowed: Uint8Array | null,
): Omit<IndexSearch, keyof Effort> {
  const bytes = queries.bytes.length / queries.rows;
  const vector = queries.bytes.subarray(query * bytes, (query + 1) * bytes);
  return { queries: vector, queryCount: 1, k: K, allowed, radius: null, rangeFilter: null };
}

/** All rows, nearest first. */
function byNearness(metric: MetricType, rows: Vectors, query: Float32Array): Uint32Array {
  const sign = metric === 'L2' ? 1 : -1;
  const distances = Float64Array.from(rows.values, (row) => sign * scoreOf(metric, query, row));
  return Uint32Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
}

function bitmapOf(rows: number, numbers: Iterable<number>): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (const row of numbers) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

const isIn = (bits: Uint8Array, row: number): boolean => ((bits[row >> 3]! >> (row & 7)) & 1) === 1;
