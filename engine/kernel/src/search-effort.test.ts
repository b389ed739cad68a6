import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadKernel } from './load-kernel.ts';
import { clusteredVectors, scoreOf } from './random-vectors.ts';
import type { IndexSearch, IndexSpec, SearchEffort, VectorIndex } from './vector-index.ts';

const ROWS = 32_000;
const DIM = 32;
const SPECS: readonly (readonly [name: string, spec: IndexSpec])[] = [
  ['of compact layout', { type: 'HNSW', m: 16, efConstruction: 64, layout: 'compact' }],
  ['of fast layout', { type: 'HNSW', m: 16, efConstruction: 64, layout: 'fast' }],
  ['on codes', { type: 'HNSW_SQ', m: 16, efConstruction: 64, sqType: 'SQ8', refine: 'FP32' }],
];

const kernel = loadKernel();
const vectors = clusteredVectors(101, DIM, ROWS, 1);
const queries = clusteredVectors(101, DIM, 20, 2);

async function effortOf(index: VectorIndex, more: Partial<IndexSearch> = {}): Promise<SearchEffort> {
  const search: IndexSearch = {
    queries: queries.bytes,
    queryCount: 1,
    k: 10,
    ef: 32,
    refineK: 1,
    allowed: null,
    radius: null,
    rangeFilter: null,
    isMeasured: true,
    ...more,
  };
  const { effort } = await index.search(search);
  assert.deepEqual(index.searchSync(search).effort, effort, 'on any thread');
  return effort!;
}

async function build(spec: IndexSpec): Promise<VectorIndex> {
  const blocks = [vectors];
  return await kernel.buildIndex({
    dataType: 101,
    metric: 'L2',
    dim: DIM,
    spec,
    blocks,
    threads: 1,
    seed: 1,
  });
}

for (const [name, spec] of SPECS) {
  describe(`the effort of searches of a graph ${name}`, () => {
    let index: VectorIndex;
    before(async () => {
      index = await build(spec);
    });
    after(() => index.close());

    test('is counted for those who want to know it, and grows with ef and with the queries', async () => {
      const short = await effortOf(index);
      assert.equal(short.scans, 0);
      assert.ok(short.visited >= 20 && short.visited < 2000, `visited ${short.visited}`);
      assert.ok(short.distances > short.visited, `distances ${short.distances}`);
      assert.ok(short.bytes > short.distances, `bytes ${short.bytes}`);
      const long = await effortOf(index, { ef: 256 });
      assert.ok(long.visited > 2 * short.visited && long.distances > short.distances);
      const many = await effortOf(index, { queryCount: 20 });
      assert.ok(many.visited > 10 * short.visited && many.scans === 0);
    });

    test('tells of rows that were gone through because few are allowed', async () => {
      const allowed = new Uint8Array(ROWS / 8);
      for (let row = 0; row < ROWS; row += 500) allowed[row >> 3]! |= 1 << (row & 7);
      const effort = await effortOf(index, { allowed, queryCount: 2 });
      assert.deepEqual([effort.scans, effort.visited], [2, (2 * ROWS) / 500]);
      assert.ok(effort.distances >= effort.visited);
    });
  });
}

test('a graph of fast layout is walked where the tenth that is allowed stands around the query, else scanned', async () => {
  const index = await build(SPECS[1]![1]);
  const distances = Float64Array.from(vectors.values, (row) => scoreOf('L2', queries.values[0]!, row));
  const nearest = Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
  const bitmapOf = (rows: Iterable<number>) => {
    const bits = new Uint8Array(ROWS / 8);
    for (const row of rows) bits[row >> 3]! |= 1 << (row & 7);
    return bits;
  };
  const around = await effortOf(index, { ef: 16, allowed: bitmapOf(nearest.slice(0, ROWS / 10)) });
  assert.equal(around.scans, 0);
  const anywhere = await effortOf(index, {
    ef: 16,
    allowed: bitmapOf(nearest.filter((row) => row % 10 === 0)),
  });
  assert.equal(anywhere.scans, 1);
  assert.ok(around.visited * 5 < anywhere.visited, `${around.visited} beside ${anywhere.visited}`);
  index.close();
});

test('a graph of compact layout is walked where rows are long and stand in clusters, also after it was opened', async () => {
  const dim = 384;
  const rows = clusteredVectors(101, dim, 10_000, 1, { clusters: 20 });
  const built = await kernel.buildIndex({
    dataType: 101,
    metric: 'L2',
    dim,
    spec: SPECS[0]![1],
    blocks: [rows],
    threads: 1,
    seed: 1,
  });
  const folder = mkdtempSync(join(tmpdir(), 'elanus-effort-'));
  const file = join(folder, 'index');
  try {
    await built.save(file);
    const opened = await kernel.openIndex(file);
    const asked = clusteredVectors(101, dim, 1, 2, { clusters: 20 }).bytes;
    for (const index of [built, opened]) {
      // A cluster is met by some hundred comparisons, whatever is asked for.
      for (const ef of [64, 256]) {
        const effort = await effortOf(index, { queries: asked, ef });
        assert.equal(effort.scans, 0);
        assert.ok(effort.distances < 1_500, `${effort.distances} for an ef of ${ef}`);
      }
      index.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the effort of a search', () => {
  test('is not told to others', async () => {
    const spec: IndexSpec = { type: 'HNSW', m: 8, efConstruction: 32, layout: 'compact' };
    const index = await build(spec);
    const common = { refineK: 1, allowed: null, radius: null, rangeFilter: null };
    const hits = await index.search({ queries: queries.bytes, queryCount: 1, k: 1, ef: 8, ...common });
    assert.equal('effort' in hits, false);
    index.close();
  });
});
