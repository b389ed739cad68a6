import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Bm25Scoring, Kernel } from './kernel.ts';
import { loadKernel } from './load-kernel.ts';
import { naiveSparseScore } from './naive-search.ts';
import { loadNative } from './native.ts';
import { randomSource } from './random-search.ts';
import { bytesOfPairs, randomSparseRows, type SparseShape, sparseMaps } from './random-sparse.ts';
import { KernelError, Status } from './status.ts';
import type { IndexHits, IndexSearch, SparseIndexBuild, SparseRows, VectorIndex } from './vector-index.ts';

const simds = ['avx512', 'avx2', 'neon', 'portable'].filter((name) => loadNative().findSimd(name) !== 0);
const BM25: Bm25Scoring = { k1: 1.2, b: 0.75, averageLength: 7.25 };

type Metric = SparseIndexBuild['metric'];

function buildOf(metric: Metric, blocks: readonly SparseRows[], threads = 2): SparseIndexBuild {
  const bm25 = metric === 'BM25' ? { k1: 1.2, b: 0.75 } : null;
  return { dataType: 104, metric, spec: { type: 'SPARSE', bm25 }, blocks, threads };
}

function searchOf(queries: SparseRows, metric: Metric, more: Partial<IndexSearch> = {}): IndexSearch {
  return {
    queries: queries.bytes,
    queryCount: queries.rows,
    k: 10,
    ef: 1,
    refineK: 1,
    allowed: null,
    radius: null,
    rangeFilter: null,
    sparse: { offsets: queries.offsets, bm25: metric === 'BM25' ? BM25 : null },
    ...more,
  };
}

/** The hits of query `q` as `row:score`. */
function listOf(hits: IndexHits, k: number, q: number): readonly string[] {
  const at = q * k;
  return Array.from({ length: hits.counts[q]! }, (_, i) => `${hits.rows[at + i]}:${hits.scores[at + i]}`);
}

const isSet = (bits: Uint8Array | null, row: number): boolean =>
  bits === null || ((bits[row >> 3]! >> (row & 7)) & 1) === 1;

/** What every search must find, by comparing each query with each row. */
function naiveLists(rows: SparseRows, queries: SparseRows, search: IndexSearch): readonly string[][] {
  const { k, allowed, radius, rangeFilter } = search;
  const maps = sparseMaps(rows);
  return sparseMaps(queries).map((query) =>
    maps
      .map((row, number) => ({ number, score: naiveSparseScore(query, row, search.sparse!.bm25) }))
      .filter((hit): hit is { number: number; score: number } => hit.score !== null)
      .filter(({ number, score }) => {
        const isInside =
          (radius === null || score > radius) && (rangeFilter === null || score <= rangeFilter);
        return isInside && isSet(allowed, number);
      })
      .sort((a, b) => b.score - a.score || a.number - b.number)
      .slice(0, k)
      .map(({ number, score }) => `${number}:${score + 0}`),
  );
}

function randomBits(seed: number, rows: number, share: number | null): Uint8Array | null {
  if (share === null) return null;
  const random = randomSource(seed);
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (let row = 0; row < rows; row++) if (random() < share) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

/** In two blocks, so that row numbers run on. */
function inTwo(rows: SparseRows): readonly SparseRows[] {
  const first = rows.rows >> 1;
  return [
    { ...rows, rows: first },
    { ...rows, offsets: rows.offsets.subarray(first), rows: rows.rows - first },
  ];
}

async function assertSameAsNaive(
  kernel: Kernel,
  metric: Metric,
  rows: SparseRows,
  searches: readonly (readonly [SparseRows, IndexSearch])[],
): Promise<void> {
  const index = await kernel.buildIndex(buildOf(metric, inTwo(rows)));
  try {
    for (const [queries, search] of searches) {
      const found = await index.search(search);
      const wanted = naiveLists(rows, queries, search);
      for (const [q, list] of wanted.entries())
        assert.deepEqual(listOf(found, search.k, q), list, `query ${q}`);
    }
  } finally {
    index.close();
  }
}

const shapes = (metric: Metric): fc.Arbitrary<SparseShape> =>
  fc.record({
    seed: fc.nat(),
    rows: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 300, max: 1200 })),
    pairsMax: fc.constantFrom(1, 4, 12, 60),
    dimensions: fc.constantFrom(2, 20, 300, 5000),
    values: metric === 'BM25' ? fc.constant('counts' as const) : fc.constantFrom('counts', 'whole', 'real'),
  });

for (const simd of simds) {
  describe(`a sparse index on ${simd}`, () => {
    const kernel = loadKernel({ simd, threads: 3 });
    for (const metric of ['IP', 'BM25'] as const) {
      test(`by ${metric} finds, bit for bit, what a comparison with every row finds`, async () => {
        const searches = fc.record({
          queries: fc.integer({ min: 1, max: 4 }),
          pairsMax: fc.constantFrom(1, 6, 200),
          k: fc.oneof(fc.constant(10), fc.integer({ min: 1, max: 500 })),
          share: fc.constantFrom(null, null, 0, 0.01, 0.4, 1),
          radius: fc.constantFrom(null, null, -1, 0.5, 2),
          rangeFilter: fc.constantFrom(null, null, 3),
        });
        const property = fc.asyncProperty(shapes(metric), searches, async (shape, wanted) => {
          const { k, radius, rangeFilter, share } = wanted;
          const rows = randomSparseRows(shape);
          const queryShape = {
            ...shape,
            seed: shape.seed + 1,
            rows: wanted.queries,
            pairsMax: wanted.pairsMax,
          };
          const queries = randomSparseRows({
            ...queryShape,
            values: shape.values === 'whole' ? 'whole' : 'real',
          });
          const allowed = randomBits(shape.seed, shape.rows, share);
          const search = searchOf(queries, metric, { k, allowed, radius, rangeFilter });
          await assertSameAsNaive(kernel, metric, rows, [[queries, search]]);
        });
        await fc.assert(property, { numRuns: 150 });
      });
    }
  });
}

describe('a sparse index', () => {
  const kernel = loadKernel({ threads: 2 });
  const shape: SparseShape = { seed: 3, rows: 70_000, pairsMax: 6, dimensions: 60, values: 'counts' };
  const rows = randomSparseRows(shape);
  const queries = randomSparseRows({ ...shape, seed: 4, rows: 6, pairsMax: 5, values: 'real' });
  let directory = '';
  let index: VectorIndex;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'elanus-sparse-'));
    index = await kernel.buildIndex(buildOf('BM25', [rows]));
  });
  after(async () => {
    index.close();
    await rm(directory, { recursive: true });
  });

  test('goes on over several chapters, common terms and filters', async () => {
    const bits = randomBits(1, rows.rows, 0.002);
    const searches = [
      searchOf(queries, 'BM25'),
      searchOf(queries, 'BM25', { allowed: bits }),
      searchOf(queries, 'BM25', { allowed: randomBits(2, rows.rows, 0.3), k: 3 }),
    ];
    for (const search of searches) {
      const found = await index.search(search);
      for (const [q, list] of naiveLists(rows, queries, search).entries())
        assert.deepEqual(listOf(found, search.k, q), list);
      assert.deepEqual(index.searchSync(search), found);
    }
  });

  test('stays exact when BM25 is asked for with other parameters than it was built for', async () => {
    for (const bm25 of [
      { k1: 0, b: 0.5, averageLength: 3 },
      { k1: 3, b: 0, averageLength: 1 },
      { k1: 1.2, b: 0.75, averageLength: 400 },
      { k1: 0.3, b: 1, averageLength: 0.01 },
    ]) {
      const search = searchOf(queries, 'BM25', { sparse: { offsets: queries.offsets, bm25 } });
      const found = await index.search(search);
      for (const [q, list] of naiveLists(rows, queries, search).entries())
        assert.deepEqual(listOf(found, search.k, q), list, JSON.stringify(bm25));
    }
  });

  test('is the same file whatever the threads, and finds the same from it', async () => {
    const path = join(directory, 'one');
    await index.save(path);
    const other = await kernel.buildIndex(buildOf('BM25', inTwo(rows), 5));
    await other.save(join(directory, 'other'));
    other.close();
    assert.deepEqual(await readFile(path), await readFile(join(directory, 'other')));
    const opened = await kernel.openIndex(path);
    const search = searchOf(queries, 'BM25');
    assert.deepEqual(await opened.search(search), await index.search(search));
    assert.deepEqual(
      [opened.rows, opened.layout, opened.memoryBytes],
      [index.rows, 'sparse', index.memoryBytes],
    );
    opened.close();
  });

  test('never crashes on a damaged file', async () => {
    const path = join(directory, 'damaged');
    const small = await kernel.buildIndex(buildOf('IP', [randomSparseRows({ ...shape, rows: 500 })]));
    await small.save(path);
    small.close();
    const bytes = await readFile(path);
    const random = randomSource(9);
    for (let round = 0; round < 60; round++) {
      const copy = Uint8Array.from(bytes);
      copy[Math.floor(random() * copy.length)]! ^= 1 << Math.floor(random() * 8);
      await writeFile(path, copy);
      try {
        const opened = await kernel.openIndex(path);
        await opened.search(searchOf(queries, 'IP'));
        opened.close();
      } catch (error) {
        assert.ok(error instanceof KernelError && error.status === Status.FileDamaged, String(error));
      }
    }
  });

  test('says how many rows have a dimension, and how long all are together', () => {
    const frequencies = new Map<number, number>();
    let length = 0;
    for (const row of sparseMaps(rows)) {
      for (const [dimension, value] of row) {
        frequencies.set(dimension, (frequencies.get(dimension) ?? 0) + 1);
        length += value;
      }
    }
    const dimensions = Uint32Array.of(5, ...frequencies.keys());
    const statistics = index.sparseStatistics(dimensions);
    assert.deepEqual([...statistics.frequencies], [0, ...frequencies.values()]);
    assert.equal(statistics.totalLength, length);
  });

  test('refuses rows and queries whose dimensions do not ascend, and values that are no numbers', async () => {
    const wrong: Record<string, readonly (readonly [number, number])[]> = {
      twice: [
        [7, 1],
        [7, 1],
      ],
      descending: [
        [8, 1],
        [7, 1],
      ],
      infinite: [[7, Infinity]],
      'not a number': [[7, NaN]],
    };
    const corrupt = (error: unknown) => error instanceof KernelError && error.status === Status.CorruptInput;
    for (const [what, pairs] of Object.entries(wrong)) {
      const one = { bytes: bytesOfPairs(pairs), offsets: Uint32Array.of(0, 8 * pairs.length), rows: 1 };
      await assert.rejects(kernel.buildIndex(buildOf('IP', [one])), corrupt, what);
      await assert.rejects(index.search(searchOf(one, 'BM25')), corrupt, what);
    }
    const negative = { bytes: bytesOfPairs([[7, -1]]), offsets: Uint32Array.of(0, 8), rows: 1 };
    await assert.rejects(kernel.buildIndex(buildOf('BM25', [negative])), corrupt);
    const beyond = { bytes: bytesOfPairs([[7, 1]]), offsets: Uint32Array.of(0, 16), rows: 1 };
    await assert.rejects(kernel.buildIndex(buildOf('IP', [beyond])), corrupt);
    await assert.rejects(index.search(searchOf(beyond, 'BM25')), corrupt);
  });

  test('stays finite in its work when scores are not', async () => {
    const pairs = [
      [1, 3e38],
      [2, -3e38],
    ] as const;
    const huge = { bytes: bytesOfPairs(pairs), offsets: Uint32Array.of(0, 8, 16), rows: 2 };
    const query = { bytes: bytesOfPairs(pairs), offsets: Uint32Array.of(0, 16), rows: 1 };
    const built = await kernel.buildIndex(buildOf('IP', [huge]));
    assert.deepEqual(listOf(await built.search(searchOf(query, 'IP')), 10, 0), ['0:Infinity', '1:Infinity']);
    built.close();
  });

  test('can be stopped while it is built', async () => {
    const controller = new AbortController();
    const building = kernel.buildIndex({ ...buildOf('BM25', [rows]), signal: controller.signal });
    controller.abort(new Error('enough'));
    await assert.rejects(building, /enough/);
  });
});
