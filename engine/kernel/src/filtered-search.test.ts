import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { MetricType } from '@elanus/model';
import {
  anywhere,
  type Effort,
  type FilterProblem,
  filterProblem,
  recallUnder,
  searchFor,
} from './filter-problem.ts';
import { loadKernel } from './load-kernel.ts';
import { embeddedVectors, mixtureVectors, type Vectors } from './random-vectors.ts';
import type { GraphLayout, IndexSpec, VectorIndex } from './vector-index.ts';

const kernel = loadKernel();
const ROWS = 10_000;
const QUERIES = 40;
/** What AUTOINDEX searches with. */
const EFFORT: Effort = { ef: 64, refineK: 1 };
const GRAPH = { m: 16, efConstruction: 100 } as const;

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

function problemOf({ metric, dim, vectors }: Kind, rows: Vectors): FilterProblem {
  return filterProblem(metric, rows, vectors(dim, QUERIES, 2));
}

function assertNoneLost(index: VectorIndex, { queries, none, filters }: FilterProblem): void {
  const unfiltered = recallUnder(index, queries, none, EFFORT);
  for (const filter of filters) {
    const found = recallUnder(index, queries, filter, EFFORT);
    assert.ok(found >= unfiltered - 0.01, `${filter.name}: ${found}, else ${unfiltered}`);
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
    const problem = problemOf(kind, rows);
    for (const { name, spec } of CODED) {
      test(`lose hardly anything of what ${name} finds, wherever the allowed rows stand`, async () => {
        const { metric, dim } = kind;
        const build = { dataType: 101, metric, dim, blocks: [rows], threads: 2, seed: 1 } as const;
        const index = await kernel.buildIndex({ ...build, spec: spec(dim) });
        assertNoneLost(index, problem);
        index.close();
      });
    }
  });
}

for (const kind of KINDS) {
  for (const layout of ['compact', 'fast'] as const satisfies readonly GraphLayout[]) {
    describe(`filters over ${kind.name}, layout ${layout}`, () => {
      const rows = kind.vectors(kind.dim, ROWS, 1);
      const problem = problemOf(kind, rows);
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
        const unfiltered = recallUnder(index, problem.queries, problem.none, EFFORT);
        assert.ok(unfiltered >= 0.9, `recall ${unfiltered}`);
        assertNoneLost(index, problem);
      });

      test('read the codes of few rows that are allowed, or vectors that are as quickly read', () => {
        const allowed = anywhere(ROWS, 0.02);
        const rowsAllowed = allowed.reduce(
          (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
          0,
        );
        const asked = { ...searchFor(problem.queries, 0, allowed), ...EFFORT, isMeasured: true };
        const { visited, distances } = index.searchSync(asked).effort!;
        assert.equal(visited, rowsAllowed);
        // In the fast layout a code is as far from the next one as a row of the graph is long.
        if (layout === 'fast') assert.equal(distances, rowsAllowed);
        else assert.ok(distances > rowsAllowed, `${distances} comparisons of ${rowsAllowed} rows`);
      });

      if (layout === 'compact')
        test('find the same first hits on a walk, whatever the limit', () => {
          const filter = problem.filterOf('30 %', () => anywhere(ROWS, 0.3));
          for (let query = 0; query < QUERIES; query++) {
            const asked = {
              ...searchFor(problem.queries, query, filter.allowed[query]!),
              ...EFFORT,
              way: 'walk',
            } as const;
            const hitsFor = (k: number) => index.searchSync({ ...asked, k }).rows;
            const most = hitsFor(EFFORT.ef);
            for (const k of [1, 10, 30])
              assert.deepEqual(hitsFor(k), most.subarray(0, k), `query ${query}, ${k} hits`);
          }
        });

      test('find about the same whichever way they are made to go', () => {
        const filter = problem.filterOf('30 %', () => anywhere(ROWS, 0.3));
        for (const way of ['walk', 'short codes', 'long codes', 'vectors'] as const) {
          const found = recallUnder(index, problem.queries, filter, { ...EFFORT, way });
          assert.ok(found >= 0.95, `${way}: ${found}`);
        }
      });
    });
  }
}
