/** What tests of indexes ask of them, and how good the answers are beside those of a naive search. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DenseVectorType, MetricType } from '@elanus/model';
import type { Kernel } from './kernel.ts';
import { clusteredVectors, scoreOf, sortedScores, type Vectors } from './random-vectors.ts';
import { KernelError, Status } from './status.ts';
import type { IndexHits, IndexSearch, VectorIndex } from './vector-index.ts';

/** Of the vectors that `problemFor` makes, and how many hits are wanted. */
export const DIM = 32;
export const ROWS = 2000;
export const K = 10;

export interface Shape {
  readonly dataType: DenseVectorType;
  readonly metric: MetricType;
}

export function searchOf(queries: Vectors, more: Partial<IndexSearch> = {}): IndexSearch {
  const common = { k: K, ef: 100, refineK: 4, allowed: null, radius: null, rangeFilter: null };
  return { queries: queries.bytes, queryCount: queries.rows, ...common, ...more };
}

const lengthSquared = (vector: Float32Array): number => vector.reduce((sum, x) => sum + x * x, 0);

/** Rows, queries, and the best scores of each query. */
export interface Problem {
  readonly metric: MetricType;
  readonly rows: Vectors;
  readonly queries: Vectors;
  readonly best: readonly (readonly number[])[];
  readonly isAllowed: (row: number) => boolean;
}

export function problemOf(
  metric: MetricType,
  rows: Vectors,
  queries: Vectors,
  isAllowed = (_: number) => true,
): Problem {
  const best = queries.values.map((query) => sortedScores(metric, query, rows.values, isAllowed).slice(0, K));
  return { metric, rows, queries, best, isAllowed };
}

const problems = new Map<string, Problem>();

/** Made once for all kinds of indexes. */
export function problemFor(dataType: DenseVectorType, metric: MetricType): Problem {
  const made = problems.get(`${dataType} ${metric}`);
  if (made !== undefined) return made;
  const rows = clusteredVectors(dataType, DIM, ROWS, 1);
  const problem = problemOf(metric, rows, clusteredVectors(dataType, DIM, 20, 2));
  problems.set(`${dataType} ${metric}`, problem);
  return problem;
}

/**
 * Checks what always holds, and returns the share of hits as good as the k-th best. A score may be off by `error`, a part of
 * the squared lengths of query and row.
 */
export function recallOf(problem: Problem, hits: IndexHits, error: number): number {
  const { metric, rows, queries, isAllowed } = problem;
  let right = 0;
  let wanted = 0;
  const isNearer = (a: number, b: number) => (metric === 'L2' ? a <= b : a >= b);
  for (const [q, query] of queries.values.entries()) {
    const best = problem.best[q]!;
    const found = hits.rows.subarray(q * K, q * K + hits.counts[q]!);
    assert.equal(new Set(found).size, found.length, 'a row twice');
    for (const [i, row] of found.entries()) {
      assert.ok(isAllowed(row), `row ${row} is not allowed`);
      const score = hits.scores[q * K + i]!;
      const exact = scoreOf(metric, query, rows.values[row]!);
      const lengths = metric === 'COSINE' ? 2 : lengthSquared(query) + lengthSquared(rows.values[row]!);
      assert.ok(Math.abs(score - exact) <= error * lengths, `${score} for ${exact}`);
      if (i > 0) assert.ok(isNearer(hits.scores[q * K + i - 1]!, score), 'out of order');
      if (isNearer(exact, best.at(-1)! + (metric === 'L2' ? 1e-4 : -1e-4) * lengths)) right += 1;
    }
    wanted += best.length;
  }
  return right / wanted;
}

/** Flips a bit here and there in the index' file: each time it must be refused as damaged, if not at once then when all of it is read. */
export async function assertRefusedWhenDamaged(kernel: Kernel, index: VectorIndex): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-index-'));
  try {
    const path = join(directory, 'index');
    await index.save(path);
    const bytes = await readFile(path);
    for (const at of [100, 4096 + 3, 8192 + 77, bytes.length - 5000]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 16;
      await writeFile(path, damaged);
      await assert.rejects(
        async () => {
          const opened = await kernel.openIndex(path);
          await opened.verify();
        },
        (error) => error instanceof KernelError && error.status === Status.FileDamaged,
      );
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}
