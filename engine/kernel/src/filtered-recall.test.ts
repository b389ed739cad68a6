/** The bar of filters: whatever the type of a graph and its metric, hardly any recall is lost at default parameters. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DenseVectorType, MetricType } from '@elanus/model';
import { type Effort, type FilterProblem, filterProblem, recallUnder } from './filter-problem.ts';
import { loadKernel } from './load-kernel.ts';
import { mixtureVectors, type Vectors, vectorsOf } from './random-vectors.ts';
import type { GraphLayout, IndexSpec, Refine } from './vector-index.ts';

const kernel = loadKernel();
const DIM = 64;
const ROWS = 8000;
const QUERIES = 120;
const SHAPE = { latent: 12, spread: 0.5 } as const;
/** The share of what is found without a filter that one may cost. */
const LOST_MAX = 0.01;
/** What a search has that names nothing: of an index that was chosen by its type, and of AUTOINDEX. */
const DEFAULTS: readonly Effort[] = [
  { ef: 16, refineK: 1 },
  { ef: 64, refineK: 1 },
];
const REFINED: Effort = { ef: 100, refineK: 5 };
const GRAPH = { m: 16, efConstruction: 60 } as const;

const hnsw = (layout: GraphLayout): IndexSpec => ({ ...GRAPH, type: 'HNSW', layout });
const scalar = (
  sqType: 'SQ4U' | 'SQ6' | 'SQ8' | 'BF16' | 'FP16',
  refine: Refine | null = null,
): IndexSpec => ({
  ...GRAPH,
  type: 'HNSW_SQ',
  sqType,
  refine,
});
const product = (subquantizers: number, bits: number, refine: Refine | null = null): IndexSpec => ({
  ...GRAPH,
  type: 'HNSW_PQ',
  subquantizers,
  bits,
  refine,
});
const residual = (subquantizers: number, refine: Refine | null = null): IndexSpec => ({
  ...GRAPH,
  type: 'HNSW_PRQ',
  subquantizers,
  residuals: 2,
  bits: 6,
  refine,
});

const SPECS: Readonly<Record<string, IndexSpec>> = {
  'HNSW, fast': hnsw('fast'),
  'HNSW, compact': hnsw('compact'),
  'HNSW_SQ of SQ4U': scalar('SQ4U'),
  'HNSW_SQ of SQ6': scalar('SQ6'),
  'HNSW_SQ of SQ8': scalar('SQ8'),
  'HNSW_SQ of BF16': scalar('BF16'),
  'HNSW_SQ of FP16': scalar('FP16'),
  'HNSW_SQ of SQ4U, refined by SQ8': scalar('SQ4U', 'SQ8'),
  'HNSW_PQ of 16 x 8 bits': product(16, 8),
  'HNSW_PQ of 16 x 8 bits, refined by FP16': product(16, 8, 'FP16'),
  'HNSW_PQ of 8 x 4 bits, refined by FP32': product(8, 4, 'FP32'),
  HNSW_PRQ: residual(8),
  'HNSW_PRQ, refined by BF16': residual(8, 'BF16'),
};

async function assertNoneLost(
  problem: FilterProblem,
  dataType: DenseVectorType,
  metric: MetricType,
  rows: Vectors,
  spec: IndexSpec,
): Promise<void> {
  const build = { dataType, metric, dim: DIM, spec, blocks: [rows], threads: 2, seed: 1 } as const;
  const index = await kernel.buildIndex(build);
  const isRefined = 'refine' in spec && spec.refine !== null;
  const lost: string[] = [];
  for (const effort of isRefined ? [...DEFAULTS, REFINED] : DEFAULTS) {
    const unfiltered = recallUnder(index, problem.queries, problem.none, effort);
    for (const filter of problem.filters) {
      const found = recallUnder(index, problem.queries, filter, effort);
      if (found < unfiltered - LOST_MAX)
        lost.push(`${filter.name}, ef ${effort.ef}: ${found.toFixed(4)}, else ${unfiltered.toFixed(4)}`);
    }
  }
  index.close();
  assert.deepEqual(lost, []);
}

describe('a filter costs at most a hundredth of the recall', () => {
  for (const metric of ['L2', 'IP', 'COSINE'] as const) {
    const rows = mixtureVectors(DIM, ROWS, 1, SHAPE);
    const problem = filterProblem(metric, rows, mixtureVectors(DIM, QUERIES, 2, SHAPE));
    for (const [name, spec] of Object.entries(SPECS)) {
      test(`${name}, ${metric}`, () => assertNoneLost(problem, 101, metric, rows, spec));
    }
  }
  for (const dataType of [102, 103, 105] as const) {
    const vectors = (count: number, seed: number) =>
      vectorsOf(dataType, DIM, mixtureVectors(DIM, count, seed, SHAPE).values);
    const rows = vectors(ROWS, 1);
    const problem = filterProblem('L2', rows, vectors(QUERIES, 2));
    for (const name of ['HNSW, fast', 'HNSW, compact', 'HNSW_SQ of SQ8', 'HNSW_PQ of 16 x 8 bits'])
      test(`${name}, vectors of type ${dataType}`, () =>
        assertNoneLost(problem, dataType, 'L2', rows, SPECS[name]!));
  }
});
