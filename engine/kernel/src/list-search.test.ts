import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DenseVectorType, MetricType } from '@elanus/model';
import fc from 'fast-check';
import type { ExactSearch, VectorBlock } from './kernel.ts';
import { loadKernel } from './load-kernel.ts';
import { hitsOfQuery, METRICS_BY_TYPE, naiveScore, naiveTopK } from './naive-search.ts';
import { loadNative } from './native.ts';
import { randomSearch, randomSource, type Values } from './random-search.ts';
import { KernelError } from './status.ts';

const simds = ['avx512', 'avx2', 'neon', 'portable'].filter((name) => loadNative().findSimd(name) !== 0);
/** MAX_SIM is not defined over them. */
const LEFT_OUT: readonly MetricType[] = ['SUBSTRUCTURE', 'SUPERSTRUCTURE', 'MHJACCARD', 'BM25'];
const pairs = [...METRICS_BY_TYPE].flatMap(([type, metrics]) =>
  type === 104
    ? []
    : metrics.filter((metric) => !LEFT_OUT.includes(metric)).map((metric) => [type, metric] as const),
);

interface ListShape {
  readonly seed: number;
  readonly dim: number;
  readonly k: number;
  readonly values: Values;
  readonly keyType: 'int64';
  readonly allowedShare: number | null;
  /** Vectors of each query. */
  readonly queries: readonly number[];
  /** Of each block the vectors of each row. */
  readonly blocks: readonly (readonly number[])[];
}

/** 100 are more than are compared at a time. */
const length = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 5 }) },
  { weight: 1, arbitrary: fc.constant(100) },
);
const lengths = fc.array(length, { maxLength: 9 });
const shapes: fc.Arbitrary<ListShape> = fc.record({
  seed: fc.nat(),
  dim: fc.constantFrom(8, 24, 72),
  k: fc.integer({ min: 1, max: 20 }),
  values: fc.constantFrom('whole', 'real'),
  keyType: fc.constant('int64'),
  allowedShare: fc.constantFrom(null, 0, 0.5, 1),
  queries: fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(14)), {
    minLength: 1,
    maxLength: 2,
  }),
  blocks: fc.array(lengths, { maxLength: 2 }),
});

function offsetsOf(counts: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(counts.length + 1);
  for (const [at, count] of counts.entries()) offsets[at + 1] = offsets[at]! + count;
  return offsets;
}

/** The vectors of all lists, as a search of single vectors, and the search of lists that they make. */
function listSearch(dataType: DenseVectorType, metric: MetricType, shape: ListShape) {
  const queryLists = offsetsOf(shape.queries);
  const lists = shape.blocks.map(offsetsOf);
  const vectors = randomSearch({
    ...shape,
    dataType,
    metric,
    queryCount: queryLists.at(-1)!,
    blockRows: lists.map((offsets) => offsets.at(-1)!),
    allowedShare: null,
  });
  const random = randomSource(shape.seed + 1);
  const blocks = vectors.blocks.map((block, at) => {
    const rows = shape.blocks[at]!.length;
    const share = shape.allowedShare;
    const allowed =
      share === null
        ? null
        : Uint8Array.from({ length: Math.ceil(rows / 8) }, () => (random() < share ? 255 : 90));
    const keys = {
      type: 'int64' as const,
      values: BigInt64Array.from({ length: rows }, (_, row) => BigInt((row * 7) % 5)),
    };
    return { ...block, rows, lists: lists[at]!, allowed, keys };
  });
  const search: ExactSearch = { ...vectors, queryCount: shape.queries.length, queryLists, blocks };
  return { vectors, search };
}

/** The score of a query and a row by the model of two vectors; `null` without a vector. */
function naiveListScore(
  vectors: ExactSearch,
  { queryLists, blocks }: ExactSearch,
  query: number,
  block: number,
  row: number,
): { readonly score: number; readonly tolerance: number } | null {
  const { lists } = blocks[block]!;
  const [first, end] = [lists![row]!, lists![row + 1]!];
  if (first === end) return null;
  const smallest = !['IP', 'COSINE'].includes(vectors.metric);
  let score = 0;
  let tolerance = 0;
  for (let q = queryLists![query]!; q < queryLists![query + 1]!; q++) {
    const scores = Array.from({ length: end - first }, (_, at) =>
      naiveScore(vectors, q, vectors.blocks[block]!, first + at),
    );
    const values = scores.map((each) => each.score!);
    score += smallest ? Math.min(...values) : Math.max(...values);
    tolerance += Math.max(...scores.map((each) => each.tolerance));
  }
  return { score, tolerance: tolerance + Math.abs(score) * 2 ** -23 };
}

for (const simd of simds) {
  describe(`search of lists on ${simd}`, () => {
    const kernel = loadKernel({ simd, threads: 3 });

    for (const [dataType, metric] of pairs) {
      test(`type ${dataType} by ${metric}: the sum of the best scores, the best rows, ties by key`, async () => {
        await fc.assert(
          fc.asyncProperty(shapes, async (shape) => {
            const { vectors, search } = listSearch(dataType, metric, shape);
            const hits = await kernel.exactSearch(search);
            // Asked for all rows, one query at a time: the scores that the k best are chosen by.
            for (let query = 0; query < search.queryCount; query++) {
              const all = {
                ...search,
                k: 64,
                queryCount: 1,
                queryLists: search.queryLists!.slice(query, query + 2),
                blocks: search.blocks.map((block) => ({ ...block, allowed: null })),
              };
              const scores = new Map(
                hitsOfQuery(all, await kernel.exactSearch(all), 0).map((hit) => [
                  `${hit.block} ${hit.row}`,
                  hit.score,
                ]),
              );
              const scoreOf = (block: number, row: number) => scores.get(`${block} ${row}`) ?? null;
              for (const [block, { rows }] of search.blocks.entries()) {
                for (let row = 0; row < rows; row++) {
                  const naive = naiveListScore(vectors, search, query, block, row);
                  const score = scoreOf(block, row);
                  if (naive === null || score === null) assert.equal(score, naive);
                  else
                    assert.ok(
                      Math.abs(score - naive.score) <= naive.tolerance,
                      `${score} is not ${naive.score}`,
                    );
                }
              }
              assert.deepEqual(hitsOfQuery(search, hits, query), naiveTopK(search, scoreOf));
            }
          }),
          { numRuns: 15 },
        );
      });
    }
  });
}

const one = (): ExactSearch =>
  listSearch(101, 'IP', {
    ...{ seed: 1, dim: 8, k: 2, values: 'whole', keyType: 'int64', allowedShare: null },
    queries: [2],
    blocks: [[3, 1]],
  }).search;

test('lists that reach beyond their vectors, or go backwards, are refused', async () => {
  const kernel = loadKernel();
  const search = one();
  const [block] = search.blocks;
  await assert.rejects(
    kernel.exactSearch({ ...search, blocks: [{ ...block!, lists: Uint32Array.of(0, 3, 5) }] }),
    RangeError,
  );
  await assert.rejects(kernel.exactSearch({ ...search, queryLists: Uint32Array.of(0, 3) }), RangeError);
  const backwards = { ...search, blocks: [{ ...block!, lists: Uint32Array.of(3, 2, 4) }] };
  await assert.rejects(kernel.exactSearch(backwards), KernelError);
  const { lists: _, ...single } = block!;
  await assert.rejects(kernel.exactSearch({ ...search, blocks: [single] }), KernelError);
});

test('a search of lists ends when its signal says so', async () => {
  const controller = new AbortController();
  const search = listSearch(101, 'IP', {
    ...{ seed: 1, dim: 128, k: 2, values: 'real', keyType: 'int64', allowedShare: null },
    queries: [200],
    blocks: [new Array(40).fill(200)],
  }).search;
  // Some hundred milliseconds of work over one small block.
  const blocks = new Array<VectorBlock>(100).fill(search.blocks[0]!);
  const kernel = loadKernel({ threads: 1, inline: 'none' });
  const running = kernel.exactSearch({ ...search, blocks, signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(running, /enough/);
});
