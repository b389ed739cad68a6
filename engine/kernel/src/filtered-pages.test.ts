/** What iterators ask: the hits behind those that were given before, under filters that leave what is far from the query. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadKernel } from './load-kernel.ts';
import { mixtureVectors, scoreOf, sortedScores } from './random-vectors.ts';
import type { IndexSpec } from './vector-index.ts';

const ROWS = 8000;
const DIM = 64;
const QUERIES = 15;
const PAGE = 10;
const GRAPH = { m: 16, efConstruction: 60 } as const;
const SPECS: Readonly<Record<string, IndexSpec>> = {
  'HNSW, compact': { ...GRAPH, type: 'HNSW', layout: 'compact' },
  'HNSW, fast': { ...GRAPH, type: 'HNSW', layout: 'fast' },
  HNSW_SQ: { ...GRAPH, type: 'HNSW_SQ', sqType: 'SQ8', refine: null },
  'HNSW_PQ, refined': { ...GRAPH, type: 'HNSW_PQ', subquantizers: 16, bits: 8, refine: 'FP32' },
};
/** Beyond all scores, so that the bound of the page before is the only one. */
const NO_RADIUS = { L2: 1e30, IP: -1e30, COSINE: -1e30 } as const;

const kernel = loadKernel();
const rows = mixtureVectors(DIM, ROWS, 1);
const queries = mixtureVectors(DIM, QUERIES, 2);

describe('the second page of a filter that leaves what is far', () => {
  for (const [name, spec] of Object.entries(SPECS))
    for (const metric of ['L2', 'IP', 'COSINE'] as const)
      test(`is found by ${name} and ${metric}`, async () => {
        const index = await kernel.buildIndex({
          dataType: 101,
          metric,
          dim: DIM,
          spec,
          blocks: [rows],
          threads: 2,
          seed: 1,
        });
        for (const share of [0.5, 0.1]) {
          let right = 0;
          for (const [number, query] of queries.values.entries()) {
            const scores = rows.values.map((row) => scoreOf(metric, query, row));
            const byNearness = sortedScores(metric, query, rows.values, () => true);
            const nearestAllowed = byNearness[Math.floor(ROWS * (1 - share))]!;
            const isAllowed = (score: number) =>
              metric === 'L2' ? score >= nearestAllowed : score <= nearestAllowed;
            const allowed = new Uint8Array(ROWS / 8);
            for (const [row, score] of scores.entries())
              if (isAllowed(score)) allowed[row >> 3]! |= 1 << (row & 7);
            const best = byNearness.filter(isAllowed);
            const { rows: hits, counts } = await index.search({
              queries: queries.bytes.subarray(number * DIM * 4, (number + 1) * DIM * 4),
              queryCount: 1,
              k: PAGE,
              ef: 16,
              refineK: 1,
              allowed,
              radius: NO_RADIUS[metric],
              rangeFilter: (best[PAGE - 1]! + best[PAGE]!) / 2,
            });
            assert.equal(counts[0], PAGE);
            const last = best[2 * PAGE - 1]!;
            for (const row of hits)
              if (metric === 'L2' ? scores[row]! <= last : scores[row]! >= last) right += 1;
          }
          const recall = right / QUERIES / PAGE;
          assert.ok(recall >= 0.95, `${recall} of the farthest ${share}`);
        }
        index.close();
      });
});
