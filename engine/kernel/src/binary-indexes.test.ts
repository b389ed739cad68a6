import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MetricType } from '@elanus/model';
import fc from 'fast-check';
import { builtAndOpened, EVERY_LIST, expectedHits, foundHits, indexSearchOf } from './exact-index.fixture.ts';
import type { MinHashScoring } from './kernel.ts';
import { naiveScore } from './naive-search.ts';
import { randomSearch, type SearchShape } from './random-search.ts';

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

describe('indexes over bits', () => {
  for (const metric of ['HAMMING', 'JACCARD'] as const) {
    test(`BIN_IVF_FLAT by ${metric} finds in all lists what a naive search finds`, async () => {
      await fc.assert(
        fc.asyncProperty(shapes(metric), fc.integer({ min: 1, max: 20 }), async (shape, lists) => {
          const search = randomSearch(shape);
          const asked = indexSearchOf(search, { lists: EVERY_LIST });
          for (const index of await builtAndOpened(search, { type: 'BIN_IVF_FLAT', lists })) {
            assert.equal(index.layout, 'binary lists');
            const hits = await index.search(asked);
            for (let q = 0; q < search.queryCount; q++) {
              const scoreOf = (block: number, row: number) =>
                naiveScore(search, q, search.blocks[block]!, row).score;
              assert.deepEqual(foundHits(asked, hits, q), expectedHits(search, scoreOf));
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
        const asked = indexSearchOf(search, { byShare });
        for (const index of await builtAndOpened(search, { type: 'MINHASH_LSH', ...scoring })) {
          const hits = await index.search(asked);
          for (let q = 0; q < search.queryCount; q++) {
            const scoreOf = (block: number, row: number): number | null => {
              const inBands = { ...search, minHash: scoring };
              const meets = naiveScore(inBands, q, search.blocks[block]!, row).score;
              if (meets === null || !byShare) return meets;
              const byAll = { ...search, minHash: { hashBytes, bands: 0 } };
              return naiveScore(byAll, q, search.blocks[block]!, row).score;
            };
            assert.deepEqual(foundHits(asked, hits, q), expectedHits(search, scoreOf));
          }
          index.close();
        }
      }),
      { numRuns: 25 },
    );
  });
});
