import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtAndOpened, expectedHits, foundHits, indexSearchOf } from './exact-index.fixture.ts';
import { naiveScore } from './naive-search.ts';
import { randomSearch, type SearchShape } from './random-search.ts';
import type { IndexSpec } from './vector-index.ts';

const ROWS_MAX = 300;

const shapes: fc.Arbitrary<SearchShape> = fc.record({
  seed: fc.nat(),
  dataType: fc.constantFrom(101 as const, 102 as const, 103 as const),
  metric: fc.constantFrom('L2' as const, 'IP' as const),
  // A node of the last is larger than a block.
  dim: fc.constantFrom(1, 7, 32, 100, 1100),
  queryCount: fc.integer({ min: 1, max: 4 }),
  blockRows: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 3 }),
  k: fc.integer({ min: 1, max: 40 }),
  values: fc.constant('whole' as const),
  keyType: fc.constant('int64' as const),
  allowedShare: fc.constantFrom(null, 0.05, 0.5),
});

test('DISKANN that keeps all rows in view finds what a naive search finds, filtered or not', async () => {
  const budgets = fc.record({
    codeBytes: fc.constantFrom(1, 8, 64),
    cacheBytes: fc.constantFrom(0, 30, 9_000),
  });
  await fc.assert(
    fc.asyncProperty(shapes, budgets, async (shape, budget) => {
      const search = randomSearch(shape);
      const spec: IndexSpec = { type: 'DISKANN', m: 4, efConstruction: 20, ...budget };
      const asked = indexSearchOf(search, { ef: ROWS_MAX });
      for (const index of await builtAndOpened(search, spec)) {
        assert.equal(index.layout, 'disk');
        // The second time some of it is in memory.
        for (let time = 0; time < 2; time++) {
          const hits = await index.search(asked);
          for (let q = 0; q < search.queryCount; q++) {
            const scoreOf = (block: number, row: number) =>
              naiveScore(search, q, search.blocks[block]!, row).score;
            assert.deepEqual(foundHits(asked, hits, q), expectedHits(search, scoreOf));
          }
        }
        index.close();
      }
    }),
    { numRuns: 12 },
  );
});
