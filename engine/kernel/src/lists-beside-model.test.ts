import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { builtAndOpened, EVERY_LIST, expectedHits, foundHits, indexSearchOf } from './exact-index.fixture.ts';
import { naiveScore } from './naive-search.ts';
import { randomSearch, type SearchShape } from './random-search.ts';
import type { IndexSpec } from './vector-index.ts';

const ROWS_MAX = 300;

const shapes: fc.Arbitrary<SearchShape> = fc.record({
  seed: fc.nat(),
  dataType: fc.constantFrom(101 as const, 102 as const, 103 as const, 105 as const),
  metric: fc.constantFrom('L2' as const, 'IP' as const),
  dim: fc.constantFrom(2, 8, 34, 100),
  queryCount: fc.integer({ min: 1, max: 5 }),
  blockRows: fc.array(fc.integer({ min: 0, max: ROWS_MAX / 3 }), { minLength: 1, maxLength: 3 }),
  k: fc.integer({ min: 1, max: 40 }),
  values: fc.constant('whole' as const),
  keyType: fc.constant('int64' as const),
  allowedShare: fc.constantFrom(null, 0.05, 0.5),
});

interface Lists {
  readonly specOf: (lists: number, dim: number) => IndexSpec;
  /** Of all hits so many are those of the model, at least: codes of few bits tell which rows are not ranked anew. */
  readonly found: number;
}

const KINDS: Readonly<Record<string, Lists>> = {
  IVF_FLAT: { specOf: (lists) => ({ type: 'IVF_FLAT', lists }), found: 1 },
  'IVF_SQ, refined': {
    specOf: (lists) => ({ type: 'IVF_SQ', lists, sqType: 'SQ8', refine: 'FP32' }),
    found: 0.95,
  },
  'IVF_PQ of 4 bits, refined': {
    specOf: (lists, dim) => ({ type: 'IVF_PQ', lists, subquantizers: dim / 2, bits: 4, refine: 'FP32' }),
    found: 0.95,
  },
  'IVF_RABITQ, refined': {
    specOf: (lists) => ({ type: 'IVF_RABITQ', lists, bits: 1, refine: 'FP32' }),
    found: 0.95,
  },
  SCANN: {
    specOf: (lists, dim) => ({ type: 'SCANN', lists, subquantizers: dim / 2, vectors: 'kept' }),
    found: 0.95,
  },
};

describe('lists that are all looked through, and whose rows are ranked by their vectors', () => {
  for (const [name, { specOf, found: least }] of Object.entries(KINDS))
    test(`${name} finds what a naive search finds, filtered or not`, async () => {
      let right = 0;
      let wanted = 0;
      await fc.assert(
        fc.asyncProperty(shapes, fc.integer({ min: 1, max: 20 }), async (shape, lists) => {
          const search = randomSearch(shape);
          const all = { ...search, k: ROWS_MAX };
          const asked = indexSearchOf(search, { lists: EVERY_LIST, refineK: ROWS_MAX });
          for (const index of await builtAndOpened(search, specOf(lists, shape.dim))) {
            const hits = await index.search(asked);
            for (let q = 0; q < search.queryCount; q++) {
              const scoreOf = (block: number, row: number) =>
                naiveScore(search, q, search.blocks[block]!, row).score;
              const found = foundHits(asked, hits, q);
              const best = expectedHits(search, scoreOf);
              const rows = new Set(found.map(({ row }) => row));
              assert.equal(found.length, best.length);
              // Of the hits there are, the model says the same, in the same order.
              const others = expectedHits(all, scoreOf).filter(({ row }) => rows.has(row));
              assert.deepEqual(found, others);
              right += best.filter(({ row }) => rows.has(row)).length;
              wanted += best.length;
            }
            index.close();
          }
        }),
        { numRuns: 25 },
      );
      assert.ok(right >= least * wanted, `${right} of ${wanted}`);
    });
});
