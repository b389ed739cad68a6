import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { MetricType } from '@elanus/model';
import fc from 'fast-check';
import type { ExactSearch, MinHashScoring } from './kernel.ts';
import { loadKernel } from './load-kernel.ts';
import { naiveScore, naiveTopK } from './naive-search.ts';
import { randomSearch, type SearchShape } from './random-search.ts';
import type { IndexHits, IndexSearch, IndexSpec, VectorIndex } from './vector-index.ts';

const kernel = loadKernel();
const directory = mkdtempSync(join(tmpdir(), 'elanus-binary-indexes-'));
after(() => rmSync(directory, { recursive: true }));

const LISTS_MAX = 65_536;
const EVERY_LIST = { probes: LISTS_MAX, probesMax: LISTS_MAX, emptyListsMax: 0 };

function shapes(metric: MetricType): fc.Arbitrary<SearchShape> {
  return fc.record({
    seed: fc.nat(),
    dataType: fc.constant(100 as const),
    metric: fc.constant(metric),
    dim: fc.constantFrom(8, 32, 64, 136, 512),
    queryCount: fc.integer({ min: 1, max: 6 }),
    blockRows: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 3 }),
    k: fc.integer({ min: 1, max: 40 }),
    values: fc.constant('whole' as const),
    keyType: fc.constant('int64' as const),
    allowedShare: fc.constantFrom(null, 0.05, 0.5),
  });
}

/** The rows of all blocks as one, as an index numbers them, with bitmaps in one. */
function joined(search: ExactSearch): { readonly rows: number; readonly allowed: Uint8Array | null } {
  const rows = search.blocks.reduce((sum, block) => sum + block.rows, 0);
  if (search.blocks.every(({ allowed }) => allowed === null)) return { rows, allowed: null };
  const bits = new Uint8Array(Math.ceil(rows / 8));
  let at = 0;
  for (const { allowed, rows: count } of search.blocks)
    for (let row = 0; row < count; row++, at++)
      if (allowed === null || (allowed[row >> 3]! >> (row & 7)) & 1) bits[at >> 3]! |= 1 << (at & 7);
  return { rows, allowed: bits };
}

/** The naive hits by number of the row, equal scores by it. */
function expected(search: ExactSearch, scoreOf: (block: number, row: number) => number | null) {
  const firsts: number[] = [];
  let next = 0;
  for (const { rows } of search.blocks) {
    firsts.push(next);
    next += rows;
  }
  const numbered = search.blocks.map((block, b) => ({
    ...block,
    keys: {
      type: 'int64' as const,
      values: BigInt64Array.from({ length: block.rows }, (_, row) => BigInt(firsts[b]! + row)),
    },
  }));
  const hits = naiveTopK({ ...search, blocks: numbered }, scoreOf);
  return hits.map(({ block, row, score }) => ({ row: firsts[block]! + row, score }));
}

function found({ k }: IndexSearch, hits: IndexHits, q: number) {
  return Array.from({ length: hits.counts[q]! }, (_, i) => ({
    row: hits.rows[q * k + i]!,
    score: hits.scores[q * k + i]!,
  }));
}

async function built(search: ExactSearch, spec: IndexSpec): Promise<VectorIndex[]> {
  const { metric, dim, blocks } = search;
  const index = await kernel.buildIndex({ dataType: 100, metric, dim, spec, blocks, threads: 2, seed: 3 });
  const path = join(directory, 'index');
  await index.save(path, { vectors: 'outside' });
  const opened = await kernel.openIndex(path, { vectors: blocks });
  await opened.verify();
  return [index, opened];
}

function indexSearch(search: ExactSearch, more: Partial<IndexSearch>): IndexSearch {
  const { queries, queryCount, k, radius, rangeFilter } = search;
  const { allowed } = joined(search);
  return { queries, queryCount, k, ef: k, refineK: 1, allowed, radius, rangeFilter, ...more };
}

describe('indexes over bits', () => {
  for (const metric of ['HAMMING', 'JACCARD'] as const) {
    test(`BIN_IVF_FLAT by ${metric} finds in all lists what a naive search finds`, async () => {
      await fc.assert(
        fc.asyncProperty(shapes(metric), fc.integer({ min: 1, max: 20 }), async (shape, lists) => {
          const search = randomSearch(shape);
          const asked = indexSearch(search, { lists: EVERY_LIST });
          for (const index of await built(search, { type: 'BIN_IVF_FLAT', lists })) {
            assert.equal(index.layout, 'binary lists');
            const hits = await index.search(asked);
            for (let q = 0; q < search.queryCount; q++) {
              const scoreOf = (block: number, row: number) =>
                naiveScore(search, q, search.blocks[block]!, row).score;
              assert.deepEqual(found(asked, hits, q), expected(search, scoreOf));
            }
            index.close();
          }
        }),
        { numRuns: 15 },
      );
    });
  }

  test('MINHASH_LSH finds what has a band in common, and ranks it as it is told', async () => {
    await fc.assert(
      fc.asyncProperty(shapes('MHJACCARD'), fc.boolean(), async (shape, byShare) => {
        const search = randomSearch(shape);
        const { hashBytes } = search.minHash!;
        const bands = 1 + (shape.seed % (search.dim / 8 / hashBytes));
        const scoring: MinHashScoring = { hashBytes, bands };
        const asked = indexSearch(search, { byShare });
        for (const index of await built(search, { type: 'MINHASH_LSH', ...scoring })) {
          const hits = await index.search(asked);
          for (let q = 0; q < search.queryCount; q++) {
            const scoreOf = (block: number, row: number): number | null => {
              const inBands = { ...search, minHash: scoring };
              const meets = naiveScore(inBands, q, search.blocks[block]!, row).score;
              if (meets === null || !byShare) return meets;
              const byAll = { ...search, minHash: { hashBytes, bands: 0 } };
              return naiveScore(byAll, q, search.blocks[block]!, row).score;
            };
            assert.deepEqual(found(asked, hits, q), expected(search, scoreOf));
          }
          index.close();
        }
      }),
      { numRuns: 25 },
    );
  });
});
