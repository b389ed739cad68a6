import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { DenseVectorType, MetricType } from '@elanus/model';
import { loadKernel } from './load-kernel.ts';
import { randomSource } from './random-search.ts';
import { clusteredVectors, scoreOf, sortedScores, type Vectors, vectorsOf } from './random-vectors.ts';
import { KernelError, Status } from './status.ts';
import type { IndexHits, IndexSearch, IndexSpec, VectorIndex } from './vector-index.ts';

const kernel = loadKernel();
const HNSW: IndexSpec = { type: 'HNSW', m: 16, efConstruction: 100, layout: 'compact' };

interface Shape {
  readonly dataType: DenseVectorType;
  readonly metric: MetricType;
  readonly dim: number;
}

async function build(shape: Shape, vectors: Vectors, spec = HNSW, threads = 2): Promise<VectorIndex> {
  return await kernel.buildIndex({ ...shape, spec, blocks: [vectors], threads, seed: 1 });
}

function search(queries: Vectors, k: number, ef: number, more: Partial<IndexSearch> = {}): IndexSearch {
  const common = { refineK: 1, allowed: null, radius: null, rangeFilter: null };
  return { queries: queries.bytes, queryCount: queries.rows, k, ef, ...common, ...more };
}

/** Checks what always holds, and returns the share of hits as good as the k-th best. */
function recall(
  { metric }: Shape,
  rows: Vectors,
  queries: Vectors,
  k: number,
  hits: IndexHits,
  isAllowed: (row: number) => boolean = () => true,
): number {
  let right = 0;
  let wanted = 0;
  for (const [q, query] of queries.values.entries()) {
    const best = sortedScores(metric, query, rows.values, isAllowed).slice(0, k);
    const found = [...hits.rows.subarray(q * k, q * k + hits.counts[q]!)];
    assert.equal(new Set(found).size, found.length, 'a row twice');
    const kth = best.at(-1) ?? 0;
    const tolerance = 1e-4 * Math.max(1, Math.abs(kth));
    let last = metric === 'L2' ? -Infinity : Infinity;
    for (const [i, row] of found.entries()) {
      assert.ok(isAllowed(row), `row ${row} is not allowed`);
      const score = hits.scores[q * k + i]!;
      const exact = scoreOf(metric, query, rows.values[row]!);
      assert.ok(Math.abs(score - exact) <= 1e-4 * Math.max(1, Math.abs(exact)), `${score} for ${exact}`);
      assert.ok(metric === 'L2' ? score >= last : score <= last, 'out of order');
      last = score;
      if (metric === 'L2' ? exact <= kth + tolerance : exact >= kth - tolerance) right += 1;
    }
    wanted += best.length;
  }
  return wanted === 0 ? 1 : right / wanted;
}

const TYPES: readonly DenseVectorType[] = [101, 102, 103, 105];
const METRICS: readonly MetricType[] = ['L2', 'IP', 'COSINE'];

describe('an HNSW index, of compact layout unless told', () => {
  for (const dataType of TYPES) {
    for (const metric of METRICS) {
      test(`finds 98 % of what a naive search finds, type ${dataType}, ${metric}`, async () => {
        for (const dim of [16, 100, 128]) {
          const shape = { dataType, metric, dim };
          const rows = clusteredVectors(dataType, dim, 4000, 1);
          const queries = clusteredVectors(dataType, dim, 40, 2);
          const index = await build(shape, rows);
          assert.equal(index.rows, 4000);
          const hits = await index.search(search(queries, 10, 100));
          const share = recall(shape, rows, queries, 10, hits);
          assert.ok(share >= 0.98, `recall ${share} at dimension ${dim}`);
          assert.deepEqual(index.searchSync(search(queries, 10, 100)), hits);
          index.close();
        }
      });
    }
  }

  const shape: Shape = { dataType: 101, metric: 'L2', dim: 24 };
  const rows = clusteredVectors(101, 24, 6000, 1);
  const queries = clusteredVectors(101, 24, 30, 2);

  test('does not depend on the number of threads', async () => {
    const alone = await build(shape, rows, HNSW, 1);
    const together = await build(shape, rows, HNSW, 3);
    assert.deepEqual(
      await alone.search(search(queries, 10, 10)),
      await together.search(search(queries, 10, 10)),
    );
  });

  test('returns allowed rows only, however many there are and wherever they lie', async () => {
    const index = await build(shape, rows);
    const unfiltered = recall(shape, rows, queries, 10, await index.search(search(queries, 10, 64)));
    const random = randomSource(3);
    const byDistance = rows.values
      .map((row, number) => ({ number, score: scoreOf('L2', queries.values[0]!, row) }))
      .sort((a, b) => b.score - a.score);
    for (const share of [0.9, 0.5, 0.1, 0.01, 0.001, 0]) {
      const wanted = Math.round(share * rows.rows);
      const anywhere = new Set(Array.from({ length: wanted }, () => Math.floor(random() * rows.rows)));
      const farAway = new Set(byDistance.slice(0, wanted).map(({ number }) => number));
      for (const set of [anywhere, farAway]) {
        const allowed = new Uint8Array(rows.rows / 8);
        for (const row of set) allowed[row >> 3]! |= 1 << (row & 7);
        const hits = await index.search(search(queries, 10, 64, { allowed }));
        const found = recall(shape, rows, queries, 10, hits, (row) => set.has(row));
        assert.ok(
          found >= unfiltered - 0.01,
          `recall ${found} where ${share} are allowed, else ${unfiltered}`,
        );
      }
    }
  });

  for (const layout of ['compact', 'fast'] as const) {
    const spec = { ...HNSW, layout };
    // Rows of such lengths are all that an inner product finds, and estimates hardly tell them apart.
    const huge = layout === 'compact' ? 1e12 : 100;

    test(`gives all rows when more are wanted than there are, layout ${layout}`, async () => {
      for (const count of [0, 1, 2, 50]) {
        const few = vectorsOf(101, 24, rows.values.slice(0, count));
        const index = await build(shape, few, spec);
        const hits = await index.search(search(queries, 60, 10));
        assert.deepEqual([...hits.counts], new Array(30).fill(count));
        assert.equal(recall(shape, few, queries, 60, hits), 1);
        index.close();
      }
    });

    test(`finds its way among equal, zero, tiny and huge vectors, layout ${layout}`, async () => {
      const odd = (number: number): Float32Array => {
        const vector = rows.values[number]!;
        if (number % 3 === 0) return rows.values[0]!;
        if (number % 7 === 0) return new Float32Array(24);
        if (number % 11 === 0) return vector.map((x) => x * 1e-40);
        if (number % 13 === 0) return vector.map((x) => x * huge);
        return vector;
      };
      for (const metric of METRICS) {
        const strange = vectorsOf(
          101,
          24,
          Array.from({ length: 3000 }, (_, number) => odd(number)),
        );
        const index = await build({ ...shape, metric }, strange, spec);
        const hits = await index.search(search(queries, 5, 100));
        const best = recall({ ...shape, metric }, strange, queries, 5, hits);
        assert.ok(best > 0.9, `recall ${best}, ${metric}`);
        const duplicates = await index.search(search(vectorsOf(101, 24, [rows.values[0]!]), 500, 500));
        if (metric === 'L2') assert.ok(duplicates.scores.every((score) => score === 0));
      }
    });

    test(`never gives NaN, layout ${layout}`, async () => {
      const values = rows.values.slice(0, 2000).map((row, i) => (i % 5 === 0 ? row.map(() => NaN) : row));
      for (const metric of METRICS) {
        const index = await build({ ...shape, metric }, vectorsOf(101, 24, values), spec);
        for (const k of [10, 1500]) {
          const hits = await index.search(search(queries, k, 50));
          for (const [q, count] of hits.counts.entries()) {
            for (const row of hits.rows.subarray(q * k, q * k + count)) assert.notEqual(row % 5, 0);
          }
        }
      }
    });
  }

  test('keeps to radius and range, and a smaller radius gives a part of what a larger one gives', async () => {
    const index = await build(shape, rows);
    const all = sortedScores('L2', queries.values[0]!, rows.values, () => true);
    const one = vectorsOf(101, 24, [queries.values[0]!]);
    let before = new Set<number>();
    for (const rank of [5, 20, 80]) {
      const hits = await index.search(search(one, 100, 200, { radius: all[rank]! }));
      const found = hits.rows.subarray(0, hits.counts[0]!);
      assert.ok(hits.scores.subarray(0, found.length).every((score) => score < all[rank]!));
      assert.ok(found.length >= rank - 1);
      assert.ok(before.isSubsetOf(new Set(found)));
      before = new Set(found);
    }
    const ring = await index.search(search(one, 50, 50, { rangeFilter: all[300]!, radius: all[400]! }));
    assert.equal(ring.counts[0], 50);
    assert.ok(ring.scores.every((score) => score >= all[300]! && score < all[400]!));
  });

  test('gives ring after ring to the last row, none twice and hardly any left out', async () => {
    const few = vectorsOf(101, 24, rows.values.slice(0, 2500));
    const one = vectorsOf(101, 24, [queries.values[0]!]);
    const index = await build(shape, few);
    const seen: number[] = [];
    for (let bound: number | null = null; ; ) {
      const hits = await index.search(search(one, 117, 50, { rangeFilter: bound }));
      const found = hits.rows.subarray(0, hits.counts[0]);
      if (found.length === 0) break;
      assert.ok(bound === null || hits.scores[0]! >= bound);
      seen.push(...found);
      // A little behind the last: the next float32 and no more.
      bound = Math.fround(hits.scores[found.length - 1]! * (1 + 2 ** -23));
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.length >= 0.99 * few.rows, `${seen.length} rows`);
  });

  test('finds neighbours that only differ in what clusters have in common', async () => {
    // Nearly all variance lies between the clusters, and none of what tells the rows of one apart.
    for (const metric of ['L2', 'IP', 'COSINE'] as const) {
      const tight: Shape = { dataType: 101, metric, dim: 256 };
      const around = { clusters: 12, spread: 0.15 };
      const members = clusteredVectors(101, 256, 6000, 31, around);
      const asked = clusteredVectors(101, 256, 30, 32, around);
      const index = await build(tight, members);
      const share = recall(tight, members, asked, 10, await index.search(search(asked, 10, 64)));
      assert.ok(share >= 0.95, `recall ${share}, ${metric}`);
      index.close();
    }
  });

  test('finds as much in the fast layout where estimates tell neighbours apart badly', async () => {
    const tight: Shape = { dataType: 101, metric: 'L2', dim: 96 };
    const around = { clusters: 12, spread: 0.15 };
    const members = clusteredVectors(101, 96, 6000, 31, around);
    const asked = clusteredVectors(101, 96, 40, 32, around);
    const shares: number[] = [];
    for (const layout of ['compact', 'fast', 'auto'] as const) {
      const index = await build(tight, members, { type: 'HNSW', m: 16, efConstruction: 100, layout });
      assert.equal(index.layout, layout === 'auto' ? 'compact' : layout);
      shares.push(recall(tight, members, asked, 10, await index.search(search(asked, 10, 32))));
      index.close();
    }
    const [compact, fast] = shares as [number, number];
    assert.ok(fast >= compact - 0.03, `recall ${fast}, in the compact layout ${compact}`);
  });

  test('takes any number for efConstruction', async () => {
    const few = vectorsOf(101, 24, rows.values.slice(0, 300));
    const index = await build(shape, few, { ...HNSW, efConstruction: 2 ** 31 - 1 });
    assert.equal(recall(shape, few, queries, 10, await index.search(search(queries, 10, 50))), 1);
    assert.ok(process.memoryUsage.rss() < 2 ** 30);
  });

  test('stops a build when told to, and tells how far it is', async () => {
    const controller = new AbortController();
    const many = clusteredVectors(101, 64, 40_000, 5);
    const told: number[] = [];
    const onProgress = (percent: number): void => {
      told.push(percent);
      if (told.length === 3) controller.abort(new Error('enough'));
    };
    const common = { dataType: 101 as const, metric: 'L2' as const, dim: 64, threads: 2, seed: 1 };
    const spec = { ...HNSW, efConstruction: 2000 };
    const building = kernel.buildIndex({
      ...common,
      spec,
      blocks: [many],
      signal: controller.signal,
      onProgress,
    });
    await assert.rejects(building, /enough/);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
  });

  test('refuses what contradicts itself', async () => {
    const index = await build(shape, rows);
    const good = search(queries, 10, 10);
    for (const bad of [
      { ...good, k: 0 },
      { ...good, queryCount: 31 },
      { ...good, allowed: new Uint8Array(10) },
      { ...good, refineK: 0 },
      { ...good, radius: NaN },
    ])
      await assert.rejects(async () => await index.search(bad), RangeError);
    for (const spec of [
      { ...HNSW, m: 1 },
      { ...HNSW, m: 2049 },
      { ...HNSW, efConstruction: 0 },
    ] as const)
      await assert.rejects(build(shape, rows, spec), RangeError);
    index.close();
    index.close();
    await assert.rejects(index.search(good), /closed/);
  });
});

describe('an HNSW index of fast layout', () => {
  for (const dataType of TYPES) {
    for (const metric of METRICS) {
      test(`finds 98 % of what a naive search finds, type ${dataType}, ${metric}`, async () => {
        const shape = { dataType, metric, dim: 100 };
        const rows = clusteredVectors(dataType, 100, 3000, 1);
        const queries = clusteredVectors(dataType, 100, 40, 2);
        const index = await build(shape, rows, { ...HNSW, layout: 'fast' });
        assert.equal(index.layout, 'fast');
        const hits = await index.search(search(queries, 10, 100));
        const share = recall(shape, rows, queries, 10, hits);
        assert.ok(share >= 0.98, `recall ${share}`);
        assert.deepEqual(index.searchSync(search(queries, 10, 100)), hits);
        index.close();
      });
    }
  }
});

describe('an index', () => {
  const shape: Shape = { dataType: 101, metric: 'COSINE', dim: 48 };
  const rows = clusteredVectors(101, 48, 3000, 1);
  const queries = clusteredVectors(101, 48, 30, 2);
  const graph = { m: 16, efConstruction: 100 };
  const kinds: readonly {
    readonly spec: IndexSpec;
    readonly layout: VectorIndex['layout'];
    readonly least: number;
  }[] = [
    { spec: { type: 'HNSW', ...graph, layout: 'compact' }, layout: 'compact', least: 0.98 },
    { spec: { type: 'HNSW', ...graph, layout: 'fast' }, layout: 'fast', least: 0.98 },
    { spec: { type: 'HNSW', ...graph, layout: 'auto' }, layout: 'fast', least: 0.98 },
    { spec: { type: 'HNSW_SQ', ...graph, sqType: 'SQ6', refine: 'FP32' }, layout: 'codes', least: 0.97 },
    {
      spec: { type: 'HNSW_PQ', ...graph, subquantizers: 12, bits: 8, refine: 'FP32' },
      layout: 'codes',
      least: 0.9,
    },
    {
      spec: { type: 'HNSW_PRQ', ...graph, subquantizers: 12, residuals: 2, bits: 8, refine: 'FP32' },
      layout: 'codes',
      least: 0.95,
    },
  ];
  const directory = mkdtempSync(join(tmpdir(), 'vector-index-'));
  after(() => rmSync(directory, { recursive: true }));

  for (const { spec, layout, least } of kinds) {
    const name = `${spec.type}${spec.type === 'HNSW' ? ` of layout ${spec.layout}` : ''}`;
    test(`answers the same after it was saved and opened: ${name}`, async () => {
      const index = await build(shape, rows, spec);
      assert.equal(index.layout, layout);
      const wanted = search(queries, 10, 100, { refineK: 4 });
      const hits = await index.search(wanted);
      const share = recall(shape, rows, queries, 10, hits);
      assert.ok(share >= least, `recall ${share}`);
      const path = join(directory, name);
      await index.save(path);
      const { rows: count } = index;
      index.close();
      const opened = await kernel.openIndex(path);
      assert.equal(opened.layout, layout);
      assert.equal(opened.rows, count);
      assert.deepEqual(await opened.search(wanted), hits);
      const told: number[] = [];
      await opened.verify({ onProgress: (percent) => told.push(percent) });
      assert.equal(told.at(-1), 100);
      opened.close();
    });
  }

  for (const metric of METRICS) {
    test(`gives with a smaller radius a part of what it gives with a larger one, ${metric}`, async () => {
      for (const { spec } of kinds) {
        const index = await build({ ...shape, metric }, rows, spec);
        for (const query of queries.values.slice(0, 10)) {
          const scores = sortedScores(metric, query, rows.values, () => true);
          const one = vectorsOf(101, 48, [query]);
          let within = new Set<number>();
          for (const rank of [5, 20, 80]) {
            const hits = index.searchSync(search(one, 100, 200, { radius: scores[rank]!, refineK: 2 }));
            const found = new Set(hits.rows.subarray(0, hits.counts[0]));
            assert.ok(within.isSubsetOf(found), `${spec.type}, the ${rank} nearest`);
            within = found;
          }
          assert.ok(within.size > 40, `${spec.type}: ${within.size} rows`);
        }
        index.close();
      }
    });
  }

  for (const layout of ['compact', 'fast'] as const) {
    test(`leaves the vectors of a ${layout} index out of its file and finds them elsewhere`, async () => {
      const path = join(directory, `outside-${layout}`);
      const built = await build(shape, rows, { type: 'HNSW', m: 16, efConstruction: 100, layout });
      await built.save(path, { vectors: 'outside' });
      const vectors = vectorsOf(101, 48, rows.values);
      // As a column in the middle of a mapped file.
      const bytes = new Uint8Array(vectors.bytes.length + 3).subarray(3);
      bytes.set(vectors.bytes);
      const lent = { bytes, rows: vectors.rows };
      const opened = await kernel.openIndex(path, { vectors: [lent] });
      const wanted = search(queries, 10, 60);
      assert.deepEqual(await opened.search(wanted), await built.search(wanted));
      assert.equal(built.memoryBytes, opened.memoryBytes);
      await opened.verify();
      const hasStatus = (error: unknown) =>
        error instanceof KernelError && error.status === Status.InvalidArgument;
      await assert.rejects(kernel.openIndex(path), hasStatus);
      const fewer = [{ bytes, rows: vectors.rows - 1 }];
      await assert.rejects(kernel.openIndex(path, { vectors: fewer }), hasStatus);
      // As the columns of several files, whose rows are no multiples of anything.
      const rowBytes = 4 * 48;
      const cuts = [0, 1, 64, 65, 200, 1_003, 1_004, vectors.rows];
      const runs = cuts.slice(1).map((to, at) => ({
        bytes: bytes.slice(cuts[at]! * rowBytes, to * rowBytes),
        rows: to - cuts[at]!,
      }));
      const spec = { type: 'HNSW', m: 16, efConstruction: 100, layout } as const;
      const builtFromRuns = await kernel.buildIndex({ ...shape, spec, blocks: runs, threads: 2, seed: 1 });
      assert.deepEqual(await builtFromRuns.search(wanted), await built.search(wanted));
      const scattered = await kernel.openIndex(path, { vectors: runs });
      assert.deepEqual(await scattered.search(wanted), await built.search(wanted));
      const copy = join(directory, `copy-${layout}`);
      await scattered.save(copy);
      assert.deepEqual(await (await kernel.openIndex(copy)).search(wanted), await built.search(wanted));
      await assert.rejects(kernel.openIndex(path, { vectors: runs.slice(1) }), hasStatus);
    });
  }

  test('says whether a file is missing, damaged or too new', async () => {
    const path = join(directory, 'damaged');
    await (await build(shape, rows)).save(path);
    const bytes = readFileSync(path);
    const hasStatus = (status: number) => (error: unknown) =>
      error instanceof KernelError && error.status === status;
    // In the middle of the vectors only reading all of it finds it.
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    const opened = await kernel.openIndex(path);
    await assert.rejects(opened.verify(), hasStatus(Status.FileDamaged));
    bytes[100]! ^= 1;
    writeFileSync(path, bytes);
    await assert.rejects(kernel.openIndex(path), hasStatus(Status.FileDamaged));
    await assert.rejects(kernel.openIndex(join(directory, 'missing')), hasStatus(Status.IoFailed));
  });

  test('leaves no memory behind when a thousand were built and dropped', async () => {
    const few = vectorsOf(101, 48, rows.values.slice(0, 300));
    const run = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const index = await build(shape, few, kinds[i % kinds.length]!.spec, 1);
        index.searchSync(search(queries, 10, 20));
        index.close();
      }
    };
    await run(60);
    const before = process.memoryUsage.rss();
    await run(940);
    const grown = process.memoryUsage.rss() - before;
    // The vectors of all of them are 54 MB.
    assert.ok(grown < 40 * 2 ** 20, `${grown} bytes more`);
  });
});
