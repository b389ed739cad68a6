import assert from 'node:assert/strict';
import test from 'node:test';
import { compareFilters } from '../testing/compare-filters.ts';

/** `npm run filters:compare` makes a million. */
const EVALUATIONS = 20_000;
const SEED = 20_261_121;

test('random filters over random schemas mean the same everywhere, and what they should', async () => {
  const { filters, byIndex } = await compareFilters(SEED, EVALUATIONS);
  assert.ok(byIndex > filters / 10, `${byIndex} of ${filters} filters by indexes`);
});
