import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { MetricType } from '@elanus/model';
import { loadKernel } from './load-kernel.ts';
import { randomSource } from './random-search.ts';
import { embeddedVectors, mixtureVectors, scoreOf, type Vectors } from './random-vectors.ts';
import type { GraphLayout, IndexSearch, IndexSpec, SearchWay, VectorIndex } from './vector-index.ts';

const kernel = loadKernel();
const ROWS = 10_000;
const QUERIES = 40;
const K = 10;
/** What AUTOINDEX searches with. */
const EF = 64;
const GRAPH = { m: 16, efConstruction: 100 } as const;
const SHARES = [0.5, 0.1, 0.01, 0.001] as const;

interface Kind {
  readonly name: string;
  readonly metric: MetricType;
  readonly dim: number;
  readonly vectors: (dim: number, rows: number, seed: number) => Vectors;
}

const KINDS: readonly Kind[] = [
  { name: 'a mixture of gaussians, L2', metric: 'L2', dim: 128, vectors: mixtureVectors },
  { name: 'a mixture of gaussians, COSINE', metric: 'COSINE', dim: 256, vectors: mixtureVectors },
  { name: 'what embeddings are like, IP', metric: 'IP', dim: 192, vectors: embeddedVectors },
];

/** Which rows each query is allowed to find. */
type Filter = (query: number) => Uint8Array;

/** All rows of each query, nearest first. */
function rowsByNearness(kind: Kind, rows: Vectors, queries: Vectors): readonly (readonly number[])[] {
  return queries.values.map((query) => {
    const sign = kind.metric === 'L2' ? 1 : -1;
    const distances = Float64Array.from(rows.values, (row) => sign * scoreOf(kind.metric, query, row));
    return Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
  });
}

function bitmapOf(numbers: Iterable<number>): Uint8Array {
  const bits = new Uint8Array(Math.ceil(ROWS / 8));
  for (const row of numbers) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

const isIn = (bits: Uint8Array, row: number): boolean => ((bits[row >> 3]! >> (row & 7)) & 1) === 1;

/** How allowed rows may stand to a query. */
const PLACES: Readonly<Record<string, (share: number, orders: readonly (readonly number[])[]) => Filter>> = {
  anywhere: (share) => {
    const random = randomSource(11);
    const bits = bitmapOf(Array.from({ length: ROWS }, (_, row) => row).filter(() => random() < share));
    return () => bits;
  },
  nearest: (share, orders) => (query) => bitmapOf(orders[query]!.slice(0, share * ROWS)),
  farthest: (share, orders) => (query) => bitmapOf(orders[query]!.slice(ROWS - share * ROWS)),
  'one after the other': (share) => {
    const bits = bitmapOf(Array.from({ length: share * ROWS }, (_, row) => row + 777));
    return () => bits;
  },
};

function search(queries: Vectors, query: number, allowed: Uint8Array | null, way: SearchWay): IndexSearch {
  const bytes = queries.bytes.length / QUERIES;
  const common = { refineK: 1, radius: null, rangeFilter: null, queryCount: 1, k: K, ef: EF };
  return { ...common, queries: queries.bytes.subarray(query * bytes, (query + 1) * bytes), allowed, way };
}

/** The share of the best allowed rows that are found. */
function recall(
  index: VectorIndex,
  queries: Vectors,
  orders: readonly (readonly number[])[],
  filter: Filter | null,
  way: SearchWay = 'cheapest',
): number {
  let found = 0;
  let wanted = 0;
  for (let query = 0; query < QUERIES; query++) {
    const allowed = filter?.(query) ?? null;
    const isAllowed = (row: number) => allowed === null || isIn(allowed, row);
    const best = new Set(orders[query]!.values().filter(isAllowed).take(K));
    const hits = index.searchSync(search(queries, query, allowed, way));
    const rows = hits.rows.subarray(0, hits.counts[0]);
    assert.ok(rows.every(isAllowed));
    assert.equal(new Set(rows).size, rows.length, 'a row twice');
    wanted += best.size;
    found += rows.reduce((sum, row) => sum + (best.has(row) ? 1 : 0), 0);
  }
  return wanted === 0 ? 1 : found / wanted;
}

function assertNoneLost(
  index: VectorIndex,
  queries: Vectors,
  orders: readonly (readonly number[])[],
  unfiltered: number,
): void {
  for (const [place, filterOf] of Object.entries(PLACES)) {
    for (const share of SHARES) {
      const found = recall(index, queries, orders, filterOf(share, orders));
      assert.ok(found >= unfiltered - 0.01, `${place}, ${share}: ${found}, else ${unfiltered}`);
    }
  }
}

/** Graphs that are walked by short codes, from coarse to fine. */
const CODED: readonly { readonly name: string; readonly spec: (dim: number) => IndexSpec }[] = [
  { name: 'SQ8', spec: () => ({ ...GRAPH, type: 'HNSW_SQ', sqType: 'SQ8', refine: null }) },
  { name: 'SQ4U and SQ8', spec: () => ({ ...GRAPH, type: 'HNSW_SQ', sqType: 'SQ4U', refine: 'SQ8' }) },
  {
    name: 'PQ',
    spec: (dim) => ({ ...GRAPH, type: 'HNSW_PQ', subquantizers: dim / 4, bits: 6, refine: null }),
  },
  {
    name: 'PRQ',
    spec: (dim) => ({
      ...GRAPH,
      type: 'HNSW_PRQ',
      subquantizers: dim / 8,
      residuals: 2,
      bits: 6,
      refine: null,
    }),
  },
];

for (const kind of KINDS) {
  describe(`filters over ${kind.name}, codes`, () => {
    const rows = kind.vectors(kind.dim, ROWS, 1);
    const queries = kind.vectors(kind.dim, QUERIES, 2);
    const orders = rowsByNearness(kind, rows, queries);
    for (const { name, spec } of CODED) {
      test(`lose hardly anything of what ${name} finds, wherever the allowed rows stand`, async () => {
        const { metric, dim } = kind;
        const build = { dataType: 101, metric, dim, blocks: [rows], threads: 2, seed: 1 } as const;
        const index = await kernel.buildIndex({ ...build, spec: spec(dim) });
        assertNoneLost(index, queries, orders, recall(index, queries, orders, null));
        index.close();
      });
    }
  });
}

for (const kind of KINDS) {
  for (const layout of ['compact', 'fast'] as const satisfies readonly GraphLayout[]) {
    describe(`filters over ${kind.name}, layout ${layout}`, () => {
      const rows = kind.vectors(kind.dim, ROWS, 1);
      const queries = kind.vectors(kind.dim, QUERIES, 2);
      const orders = rowsByNearness(kind, rows, queries);
      let index: VectorIndex;
      before(async () => {
        index = await kernel.buildIndex({
          dataType: 101,
          metric: kind.metric,
          dim: kind.dim,
          spec: { ...GRAPH, type: 'HNSW', layout },
          blocks: [rows],
          threads: 2,
          seed: 1,
        });
      });

      test('lose no more than a hundredth of the recall, wherever the allowed rows stand', () => {
        const unfiltered = recall(index, queries, orders, null);
        assert.ok(unfiltered >= 0.9, `recall ${unfiltered}`);
        assertNoneLost(index, queries, orders, unfiltered);
      });

      test('read the codes of few rows that are allowed, or vectors that are as quickly read', () => {
        const allowed = PLACES.anywhere!(0.02, [])(0);
        const rowsAllowed = allowed.reduce(
          (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
          0,
        );
        const asked = { ...search(queries, 0, allowed, 'cheapest'), isMeasured: true };
        const { visited, distances } = index.searchSync(asked).effort!;
        assert.equal(visited, rowsAllowed);
        // In the fast layout a code is as far from the next one as a row of the graph is long.
        const readsVectors = layout === 'fast' && kind.dim === 128;
        if (readsVectors) assert.equal(distances, rowsAllowed);
        else assert.ok(distances > rowsAllowed, `${distances} comparisons of ${rowsAllowed} rows`);
      });

      test('find about the same whichever way they are made to go', () => {
        const filter = PLACES.anywhere!(0.3, []);
        for (const way of ['walk', 'short codes', 'long codes', 'vectors'] as const) {
          const found = recall(index, queries, orders, filter, way);
          assert.ok(found >= 0.95, `${way}: ${found}`);
        }
      });
    });
  }
}
