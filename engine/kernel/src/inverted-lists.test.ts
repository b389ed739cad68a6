import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  assertRefusedWhenDamaged,
  DIM,
  problemFor,
  problemOf,
  ROWS,
  recallOf,
  type Shape,
  searchOf,
} from './index-problem.ts';
import { loadKernel } from './load-kernel.ts';
import { randomSource } from './random-search.ts';
import { sortedScores, type Vectors, vectorsOf } from './random-vectors.ts';
import type { IndexSpec, ListProbes, VectorIndex } from './vector-index.ts';

const kernel = loadKernel();
const LISTS = 40;

interface Case {
  readonly name: string;
  readonly spec: IndexSpec;
  /** Found in all lists with refineK 4, at least, of what a naive search finds. */
  readonly recall: number;
  /** As `recallOf` takes it. */
  readonly error: number;
}

const lists = { lists: LISTS };
const CASES: readonly Case[] = [
  { name: 'IVF_FLAT', spec: { ...lists, type: 'IVF_FLAT' }, recall: 0.99, error: 1e-5 },
  {
    name: 'IVF_SQ8',
    spec: { ...lists, type: 'IVF_SQ', sqType: 'SQ8', refine: null },
    recall: 0.93,
    error: 0.02,
  },
  {
    name: 'IVF_SQ6 refined by FP16',
    spec: { ...lists, type: 'IVF_SQ', sqType: 'SQ6', refine: 'FP16' },
    recall: 0.95,
    error: 0.001,
  },
  {
    name: 'IVF_PQ',
    spec: { ...lists, type: 'IVF_PQ', subquantizers: 16, bits: 8, refine: null },
    recall: 0.5,
    error: 0.3,
  },
  {
    name: 'IVF_PQ refined by vectors',
    spec: { ...lists, type: 'IVF_PQ', subquantizers: 16, bits: 8, refine: 'FP32' },
    recall: 0.9,
    error: 1e-5,
  },
  {
    name: 'IVF_PQ of 4 bits refined by SQ8',
    spec: { ...lists, type: 'IVF_PQ', subquantizers: 16, bits: 4, refine: 'SQ8' },
    recall: 0.75,
    error: 0.02,
  },
  {
    name: 'IVF_RABITQ',
    spec: { ...lists, type: 'IVF_RABITQ', bits: 1, refine: null },
    recall: 0.25,
    error: 0.6,
  },
  {
    name: 'IVF_RABITQ of 8 bits refined by vectors',
    spec: { ...lists, type: 'IVF_RABITQ', bits: 8, refine: 'FP32' },
    recall: 0.95,
    error: 1e-5,
  },
  {
    name: 'SCANN',
    spec: { ...lists, type: 'SCANN', subquantizers: 16, vectors: 'kept' },
    recall: 0.75,
    error: 1e-5,
  },
  {
    name: 'SCANN without vectors',
    spec: { ...lists, type: 'SCANN', subquantizers: 16, vectors: 'left out' },
    recall: 0.25,
    error: 0.6,
  },
];

function probesOf(probes: number, more: Partial<ListProbes> = {}): ListProbes {
  return { probes, probesMax: probes, emptyListsMax: 0, ...more };
}
const ALL = probesOf(LISTS);

async function build(shape: Shape, vectors: Vectors, spec: IndexSpec, threads = 2): Promise<VectorIndex> {
  return await kernel.buildIndex({ ...shape, dim: DIM, spec, blocks: [vectors], threads, seed: 1 });
}

for (const { name, spec, recall: least, error } of CASES) {
  describe(`inverted lists, ${name}`, () => {
    for (const dataType of [101, 102, 103, 105] as const) {
      for (const metric of ['L2', 'IP', 'COSINE'] as const) {
        test(`find ${100 * least} % of what a naive search finds, type ${dataType}, ${metric}`, async () => {
          const problem = problemFor(dataType, metric);
          const { rows, queries } = problem;
          const index = await build({ dataType, metric }, rows, spec);
          assert.equal(index.rows, ROWS);
          assert.equal(index.layout, 'lists');
          const search = searchOf(queries, { lists: ALL });
          const hits = await index.search(search);
          const share = recallOf(problem, hits, error);
          assert.ok(share >= least, `recall ${share}`);
          assert.deepEqual(index.searchSync(search), hits);
          index.close();
        });
      }
    }
  });
}

describe('inverted lists', () => {
  const shape: Shape = { dataType: 101, metric: 'L2' };
  const problem = problemFor(101, 'L2');
  const { rows, queries } = problem;
  const flat = CASES[0]!;

  test('find more in more lists', async () => {
    const index = await build(shape, rows, flat.spec);
    const shares: number[] = [];
    for (const probes of [1, 2, 4, LISTS])
      shares.push(
        recallOf(problem, await index.search(searchOf(queries, { lists: probesOf(probes) })), 1e-5),
      );
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
    assert.ok(shares[3]! > shares[0]!, shares.join(', '));
  });

  test('do not depend on the number of threads', async () => {
    for (const { spec } of CASES) {
      const search = searchOf(queries, { lists: probesOf(5) });
      const [alone, together] = [await build(shape, rows, spec, 1), await build(shape, rows, spec, 3)];
      assert.deepEqual(await alone.search(search), await together.search(search));
    }
  });

  test('return allowed rows only, and go on until there are enough', async () => {
    const random = randomSource(3);
    for (const { spec, error } of [flat, CASES[1]!, CASES[8]!]) {
      const index = await build(shape, rows, spec);
      for (const share of [0.9, 0.5, 0.1, 0.01]) {
        const set = new Set(Array.from({ length: share * ROWS }, () => Math.floor(random() * ROWS)));
        const allowed = new Uint8Array(ROWS / 8);
        for (const row of set) allowed[row >> 3]! |= 1 << (row & 7);
        const within = problemOf('L2', rows, queries, (row) => set.has(row));
        const all = await index.search(searchOf(queries, { allowed, lists: ALL }));
        assert.ok(recallOf(within, all, error) >= 0.75);
        const few = probesOf(1, { probesMax: LISTS });
        const { counts } = await index.search(searchOf(queries, { allowed, lists: few }));
        assert.deepEqual([...counts], new Array(queries.rows).fill(Math.min(10, set.size)));
      }
    }
  });

  test('keep to radius and range', async () => {
    const index = await build(shape, rows, flat.spec);
    const all = sortedScores('L2', queries.values[0]!, rows.values, () => true);
    const one = vectorsOf(101, DIM, [queries.values[0]!]);
    const bounds = { rangeFilter: all[300]!, radius: all[400]! };
    const ring = await index.search(searchOf(one, { k: 50, ...bounds, lists: ALL }));
    assert.equal(ring.counts[0], 50);
    assert.ok(ring.scores.every((score) => score >= all[300]! && score < all[400]!));
  });

  test('come back from their files as they were, with their vectors inside or outside', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'elanus-lists-'));
    try {
      for (const { spec } of CASES) {
        const search = searchOf(queries, { lists: probesOf(5) });
        const index = await build(shape, rows, spec);
        for (const vectors of ['inside', 'outside'] as const) {
          const path = join(directory, vectors);
          await index.save(path, { vectors });
          const opened = await kernel.openIndex(path, { vectors: vectors === 'inside' ? [] : [rows] });
          assert.equal(opened.layout, 'lists');
          assert.deepEqual(await opened.search(search), await index.search(search));
          await opened.verify();
          opened.close();
        }
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('are refused when a bit of their file has flipped', async () => {
    await assertRefusedWhenDamaged(kernel, await build(shape, rows, flat.spec));
  });

  test('are built until somebody no longer wants them, and tell how far they are', async () => {
    const seen: number[] = [];
    const request = { ...shape, dim: DIM, spec: flat.spec, blocks: [rows], threads: 1, seed: 1 };
    const index = await kernel.buildIndex({ ...request, onProgress: (percent) => seen.push(percent) });
    index.close();
    assert.equal(seen.at(-1), 100);
    await assert.rejects(kernel.buildIndex({ ...request, signal: AbortSignal.abort(new Error('unwanted')) }));
  });

  test('refuse numbers of lists and codes that there are not', async () => {
    const wrong: readonly IndexSpec[] = [
      { type: 'IVF_FLAT', lists: 0 },
      { type: 'IVF_FLAT', lists: 65_537 },
      { type: 'IVF_PQ', lists: 4, subquantizers: 5, bits: 8, refine: null },
      { type: 'IVF_RABITQ', lists: 4, bits: 10, refine: null },
      { type: 'SCANN', lists: 4, subquantizers: 3, vectors: 'kept' },
    ];
    for (const spec of wrong) await assert.rejects(build(shape, rows, spec), JSON.stringify(spec));
    const index = await build(shape, rows, flat.spec);
    for (const more of [{ probes: 0 }, { probesMax: 65_537 }, { emptyListsMax: -1 }])
      assert.throws(() => index.searchSync(searchOf(queries, { lists: probesOf(1, more) })), RangeError);
  });
});
