import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MetricType, VectorType } from '@elanus/model';
import fc from 'fast-check';
import { CODE_FACTORS, type ExactSearch, type Kernel, type VectorBlock } from './kernel.ts';
import { loadKernel } from './load-kernel.ts';
import { hitsOfQuery, isAllowed, METRICS_BY_TYPE, naiveScore, naiveTopK } from './naive-search.ts';
import { loadNative } from './native.ts';
import { randomSearch, type SearchShape } from './random-search.ts';

const simds = ['avx512', 'avx2', 'neon', 'portable'].filter((name) => loadNative().findSimd(name) !== 0);
const pairsOfTypeAndMetric = [...METRICS_BY_TYPE].flatMap(([type, metrics]) =>
  metrics.map((metric): [VectorType, MetricType] => [type, metric]),
);

function shapes(dataType: VectorType, metric: MetricType): fc.Arbitrary<SearchShape> {
  return fc.record({
    seed: fc.nat(),
    dataType: fc.constant(dataType),
    metric: fc.constant(metric),
    dim: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constantFrom(8, 16, 64, 128, 136, 513)),
    queryCount: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 9 })),
    blockRows: fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 90, max: 230 })), {
      maxLength: 3,
    }),
    k: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 500 })),
    values: fc.constantFrom('whole', 'real', 'wild'),
    keyType: fc.constantFrom('int64', 'varchar'),
    allowedShare: fc.constantFrom(null, 0, 0.05, 0.5, 0.98, 1),
  });
}

/** Scores of all pairs, each query and each row asked for alone. */
async function pairScores(kernel: Kernel, search: ExactSearch): Promise<(number | null)[][][]> {
  const { queryCount, queries, queryOffsets } = search;
  const bytesPerQuery = queries.length / queryCount;
  const ofQuery = async (q: number) => {
    const alone = {
      queryCount: 1,
      queries: queryOffsets === null ? queries.subarray(q * bytesPerQuery, (q + 1) * bytesPerQuery) : queries,
      queryOffsets: queryOffsets === null ? null : queryOffsets.slice(q, q + 2),
      radius: null,
      rangeFilter: null,
    };
    return await Promise.all(
      search.blocks.map((block) => blockScores(kernel, { ...search, ...alone }, block)),
    );
  };
  return await Promise.all(Array.from({ length: queryCount }, (_, q) => ofQuery(q)));
}

async function blockScores(
  kernel: Kernel,
  search: ExactSearch,
  block: VectorBlock,
): Promise<(number | null)[]> {
  const scores = new Array<number | null>(block.rows).fill(null);
  const k = Math.max(block.rows, 1);
  const all = { ...search, k, blocks: [{ ...block, allowed: null }] };
  for (const hit of hitsOfQuery(all, await kernel.exactSearch(all), 0)) scores[hit.row] = hit.score;
  return scores;
}

/** Bounds that cut off about the best and the worst third. */
function withBounds(search: ExactSearch, scores: readonly (number | null)[]): ExactSearch {
  const sorted = scores
    .filter((score): score is number => score !== null && Number.isFinite(score))
    .sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor(sorted.length / 3)], sorted[Math.floor((2 * sorted.length) / 3)]];
  if (low === undefined || high === undefined) return search;
  const descending = ['IP', 'COSINE', 'BM25', 'MHJACCARD'].includes(search.metric);
  return descending
    ? { ...search, radius: low, rangeFilter: high }
    : { ...search, radius: high, rangeFilter: low };
}

for (const simd of simds) {
  describe(`exact search on ${simd}`, () => {
    const onThisThread = loadKernel({ simd });
    const onThreads = loadKernel({ simd, inline: 'none', threads: 3 });

    for (const [dataType, metric] of pairsOfTypeAndMetric) {
      test(`type ${dataType} by ${metric}: every score is within its bound of the model`, async () => {
        await fc.assert(
          fc.asyncProperty(shapes(dataType, metric), async (shape) => {
            const search = randomSearch({
              ...shape,
              values: shape.values === 'wild' ? 'real' : shape.values,
            });
            const scores = await pairScores(onThisThread, search);
            for (const [q, ofQuery] of scores.entries()) {
              for (const [b, ofBlock] of ofQuery.entries()) {
                for (const [row, score] of ofBlock.entries()) {
                  const naive = naiveScore(search, q, search.blocks[b]!, row);
                  if (naive.score === null || score === null) assert.equal(score, naive.score);
                  else
                    assert.ok(
                      Math.abs(score - naive.score) <= naive.tolerance,
                      `${score} is not ${naive.score}`,
                    );
                }
              }
            }
          }),
          { numRuns: 15 },
        );
      });

      test(`type ${dataType} by ${metric}: the k best, ties by key, whatever the company`, async () => {
        await fc.assert(
          fc.asyncProperty(shapes(dataType, metric), fc.boolean(), async (shape, bounded) => {
            const unbounded = randomSearch(shape);
            const scores = await pairScores(onThisThread, unbounded);
            const search = bounded ? withBounds(unbounded, scores[0]?.flat() ?? []) : unbounded;
            for (const kernel of [onThisThread, onThreads]) {
              const hits = await kernel.exactSearch(search);
              assert.equal(hits.counts.length, search.queryCount);
              for (let q = 0; q < search.queryCount; q++) {
                const expected = naiveTopK(search, (block, row) => scores[q]![block]![row]!);
                assert.deepEqual(hitsOfQuery(search, hits, q), expected);
              }
            }
          }),
          { numRuns: 40 },
        );
      });
    }

    test('COSINE with inverse norms gives the same hits as without', async () => {
      for (const dataType of [101, 102, 103, 105] as const) {
        // All rows are compared with one query in an order of their own.
        for (const { queryCount, allowedShare } of [
          { queryCount: 5, allowedShare: 0.8 },
          { queryCount: 1, allowedShare: null },
        ]) {
          const shape = { seed: dataType, dataType, metric: 'COSINE', dim: 77, queryCount, k: 9 } as const;
          const search = randomSearch({
            ...shape,
            ...{ blockRows: [0, 150, 31], values: 'wild', keyType: 'int64', allowedShare },
          });
          const blocks = search.blocks.map((block) => {
            const inverseNorms = onThisThread.inverseNorms(dataType, 77, block.bytes, block.rows);
            return { ...block, inverseNorms };
          });
          assert.deepEqual(
            await onThisThread.exactSearch({ ...search, blocks }),
            await onThisThread.exactSearch(search),
          );
        }
      }
    });

    for (const metric of ['L2', 'IP', 'COSINE'] as const) {
      test(`codes change no hit by ${metric}, whatever the numbers and however many rows have one`, async () => {
        await fc.assert(
          fc.asyncProperty(
            shapes(101, metric),
            fc.double({ min: 0, max: 1, noNaN: true }),
            async (shape, share) => {
              const search = randomSearch(shape);
              const blocks = await Promise.all(
                search.blocks.map(async (block) => {
                  const rows = Math.round(block.rows * share);
                  const codes = {
                    values: new Int8Array(rows * search.dim),
                    factors: new Float32Array(rows * CODE_FACTORS),
                  };
                  await onThisThread.encode(search.dim, block.bytes, rows, codes);
                  return { ...block, codes: { ...codes, rows } };
                }),
              );
              const expected = await onThisThread.exactSearch(search);
              for (const kernel of [onThisThread, onThreads])
                assert.deepEqual(await kernel.exactSearch({ ...search, blocks }), expected);
            },
          ),
          { numRuns: 100 },
        );
      });
    }

    test('many slices, query groups and threads change nothing', async () => {
      const shape = { seed: 5, dataType: 105, metric: 'L2', dim: 200, queryCount: 150, k: 40 } as const;
      const search = randomSearch({
        ...shape,
        ...{ blockRows: [9000, 1, 0, 3000], values: 'whole', keyType: 'int64', allowedShare: 0.9 },
      });
      const expected = await loadKernel({ simd: 'portable', threads: 1 }).exactSearch(search);
      const several = await Promise.all([search, search, search].map((s) => onThreads.exactSearch(s)));
      for (const hits of several) assert.deepEqual(hits, expected);
      const allowedRows = search.blocks.reduce(
        (count, block) =>
          count + Array.from({ length: block.rows }, (_, r) => isAllowed(block, r)).filter(Boolean).length,
        0,
      );
      const all = await onThreads.exactSearch({ ...search, k: 16_384 });
      assert.deepEqual([...all.counts], new Array(150).fill(allowedRows));
    });
  });
}
