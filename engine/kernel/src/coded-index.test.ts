import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  assertRefusedWhenDamaged,
  DIM,
  K,
  problemFor,
  problemOf,
  ROWS,
  recallOf,
  type Shape,
  searchOf,
} from './index-problem.ts';
import { loadKernel } from './load-kernel.ts';
import { randomSource } from './random-search.ts';
import { scoreOf, sortedScores, type Vectors, vectorsOf } from './random-vectors.ts';
import type { IndexSpec, VectorIndex } from './vector-index.ts';

const kernel = loadKernel();
const GRAPH = { m: 16, efConstruction: 100 } as const;

interface Case {
  readonly name: string;
  readonly spec: IndexSpec;
  /** Found with ef 100 and refineK 4, at least, of what a naive search finds. */
  readonly recall: number;
  /** How far a score may be from that of the vectors: a part of the squared lengths of query and row. */
  readonly error: number;
}

const sq = (sqType: 'SQ4U' | 'SQ6' | 'SQ8' | 'BF16' | 'FP16', refine: 'SQ8' | 'FP32' | null): IndexSpec => ({
  ...GRAPH,
  type: 'HNSW_SQ',
  sqType,
  refine,
});

const CASES: readonly Case[] = [
  { name: 'SQ4U', spec: sq('SQ4U', null), recall: 0.5, error: 0.2 },
  { name: 'SQ4U refined by SQ8', spec: sq('SQ4U', 'SQ8'), recall: 0.93, error: 0.02 },
  { name: 'SQ6 refined by FP32', spec: sq('SQ6', 'FP32'), recall: 0.98, error: 1e-5 },
  { name: 'SQ8', spec: sq('SQ8', null), recall: 0.93, error: 0.02 },
  { name: 'BF16', spec: sq('BF16', null), recall: 0.95, error: 0.01 },
  { name: 'FP16', spec: sq('FP16', null), recall: 0.97, error: 0.001 },
  {
    name: 'PQ',
    spec: { ...GRAPH, type: 'HNSW_PQ', subquantizers: 16, bits: 8, refine: null },
    recall: 0.6,
    error: 0.3,
  },
  {
    name: 'PQ of 5 bits refined by FP16',
    spec: { ...GRAPH, type: 'HNSW_PQ', subquantizers: 16, bits: 5, refine: 'FP16' },
    recall: 0.9,
    error: 0.001,
  },
  {
    name: 'PRQ refined by FP32',
    spec: { ...GRAPH, type: 'HNSW_PRQ', subquantizers: 8, residuals: 2, bits: 6, refine: 'FP32' },
    recall: 0.9,
    error: 1e-5,
  },
];

async function build(shape: Shape, vectors: Vectors, spec: IndexSpec, threads = 2): Promise<VectorIndex> {
  return await kernel.buildIndex({ ...shape, dim: DIM, spec, blocks: [vectors], threads, seed: 1 });
}

for (const { name, spec, recall: least, error } of CASES) {
  describe(`a graph on codes, ${name}`, () => {
    for (const dataType of [101, 102, 103, 105] as const) {
      for (const metric of ['L2', 'IP', 'COSINE'] as const) {
        test(`finds ${100 * least} % of what a naive search finds, type ${dataType}, ${metric}`, async () => {
          const problem = problemFor(dataType, metric);
          const { rows, queries } = problem;
          const index = await build({ dataType, metric }, rows, spec);
          assert.equal(index.rows, ROWS);
          assert.equal(index.layout, 'codes');
          const hits = await index.search(searchOf(queries));
          const share = recallOf(problem, hits, error);
          assert.ok(share >= least, `recall ${share}`);
          assert.deepEqual(index.searchSync(searchOf(queries)), hits);
          index.close();
        });
      }
    }
  });
}

describe('a graph on codes', () => {
  const shape: Shape = { dataType: 101, metric: 'L2' };
  const problem = problemFor(101, 'L2');
  const { rows, queries } = problem;
  const refined = CASES[2]!;

  test('does not depend on the number of threads', async () => {
    for (const { spec } of CASES) {
      const alone = await build(shape, rows, spec, 1);
      const together = await build(shape, rows, spec, 3);
      assert.deepEqual(await alone.search(searchOf(queries)), await together.search(searchOf(queries)));
    }
  });

  test('returns allowed rows only, however many there are and wherever they lie', async () => {
    const index = await build(shape, rows, refined.spec);
    const unfiltered = recallOf(problem, await index.search(searchOf(queries)), refined.error);
    const random = randomSource(3);
    const farFirst = rows.values
      .map((row, number) => ({ number, score: scoreOf('L2', queries.values[0]!, row) }))
      .sort((a, b) => b.score - a.score);
    for (const share of [0.9, 0.5, 0.1, 0.01, 0.001]) {
      const wanted = Math.round(share * ROWS);
      const anywhere = new Set(Array.from({ length: wanted }, () => Math.floor(random() * ROWS)));
      const farAway = new Set(farFirst.slice(0, wanted).map(({ number }) => number));
      for (const set of [anywhere, farAway]) {
        const allowed = new Uint8Array(ROWS / 8);
        for (const row of set) allowed[row >> 3]! |= 1 << (row & 7);
        const hits = await index.search(searchOf(queries, { allowed }));
        const found = recallOf(
          problemOf('L2', rows, queries, (row) => set.has(row)),
          hits,
          refined.error,
        );
        assert.ok(
          found >= unfiltered - 0.01,
          `recall ${found} where ${share} are allowed, else ${unfiltered}`,
        );
      }
    }
  });

  test('finds more when more are refined', async () => {
    const index = await build(shape, rows, CASES[7]!.spec);
    const shares: number[] = [];
    for (const refineK of [1, 2, 4, 8])
      shares.push(recallOf(problem, await index.search(searchOf(queries, { refineK })), 0.001));
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
    assert.ok(shares[3]! > shares[0]! + 0.05, shares.join(', '));
  });

  test('keeps to radius and range', async () => {
    const index = await build(shape, rows, refined.spec);
    const all = sortedScores('L2', queries.values[0]!, rows.values, () => true);
    const one = vectorsOf(101, DIM, [queries.values[0]!]);
    const ring = await index.search(searchOf(one, { k: 50, rangeFilter: all[300]!, radius: all[400]! }));
    assert.equal(ring.counts[0], 50);
    assert.ok(ring.scores.every((score) => score >= all[300]! && score < all[400]!));
  });

  test('gives each row once and no NaN, whatever the vectors are', async () => {
    const odd = (vector: Float32Array, number: number): Float32Array => {
      if (number % 3 === 0) return rows.values[0]!;
      if (number % 5 === 0) return vector.map(() => NaN);
      if (number % 7 === 0) return new Float32Array(DIM);
      if (number % 11 === 0) return vector.map((x) => x * 1e-40);
      if (number % 13 === 0) return vector.map((x) => x * 1e12);
      return vector;
    };
    const strange = vectorsOf(101, DIM, rows.values.map(odd));
    const half = new Uint8Array(ROWS / 8).fill(0x55);
    for (const { name, spec } of CASES) {
      for (const metric of ['L2', 'IP', 'COSINE'] as const) {
        const index = await build({ dataType: 101, metric }, strange, spec);
        for (const allowed of [null, half]) {
          const { counts, rows: found, scores } = await index.search(searchOf(queries, { allowed }));
          for (const [q, count] of counts.entries()) {
            const [first, end] = [q * K, q * K + count];
            assert.equal(new Set(found.subarray(first, end)).size, count, `${name}, ${metric}`);
            assert.ok(found.subarray(first, end).every((row) => allowed === null || row % 2 === 0));
            assert.ok(!scores.subarray(first, end).some(Number.isNaN));
          }
        }
        index.close();
      }
    }
  });

  test('gives all rows when more are wanted than there are', async () => {
    for (const count of [0, 1, 2, 50]) {
      const few = vectorsOf(101, DIM, rows.values.slice(0, count));
      for (const { spec } of CASES) {
        const index = await build(shape, few, spec);
        const { counts } = await index.search(searchOf(queries, { k: 60, ef: 60 }));
        assert.deepEqual([...counts], new Array(queries.rows).fill(count));
      }
    }
  });

  test('comes back from its file as it was', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'elanus-index-'));
    try {
      for (const { spec } of CASES) {
        const path = join(directory, 'index');
        const index = await build(shape, rows, spec);
        await index.save(path);
        const opened = await kernel.openIndex(path);
        assert.equal(opened.rows, ROWS);
        assert.equal(opened.layout, 'codes');
        assert.deepEqual(await opened.search(searchOf(queries)), await index.search(searchOf(queries)));
        opened.close();
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('is refused when a bit of its file has flipped', async () => {
    await assertRefusedWhenDamaged(kernel, await build(shape, rows, refined.spec));
  });

  test('refuses quantizers that there are not', async () => {
    for (const spec of [
      { ...GRAPH, type: 'HNSW_PQ', subquantizers: 5, bits: 8, refine: null },
      { ...GRAPH, type: 'HNSW_PQ', subquantizers: 8, bits: 13, refine: null },
      { ...GRAPH, type: 'HNSW_PQ', subquantizers: 0, bits: 8, refine: null },
      { ...GRAPH, type: 'HNSW_PRQ', subquantizers: 8, residuals: 17, bits: 8, refine: null },
    ] as const)
      await assert.rejects(build(shape, rows, spec));
  });
});
