import assert from 'node:assert/strict';
import test from 'node:test';
import { MilvusError } from '@elanus/model';
import { compilePredicate } from './compile.ts';
import { planFilter } from './plan-filter.ts';
import { columnsOf, DEMO_ROWS, demoSchema } from './testing/demo-rows.ts';
import { drawFrom, fuzzedFilter } from './testing/fuzzed-filters.ts';

const FILTERS = 4_000;
const SEED = 20_261_121;

test(`${FILTERS} random and damaged filters are answered or refused by a typed error`, () => {
  const schema = demoSchema('dynamic');
  const source = columnsOf(schema, DEMO_ROWS);
  const draw = drawFrom(SEED);
  let answered = 0;
  for (let i = 0; i < FILTERS; i++) {
    const text = fuzzedFilter(draw);
    const matches = new Uint8Array(DEMO_ROWS.length).fill(9);
    try {
      const predicate = planFilter(text, schema);
      if (predicate === null) continue;
      const filter = compilePredicate(predicate);
      filter(source, 0, DEMO_ROWS.length, matches);
      const sum = matches.reduce((bits, one, row) => bits | (one << row), 0);
      answered += 1;
      assert.ok(
        matches.every((one) => one === 0 || one === 1),
        text,
      );
      const bits = new Uint8Array(2);
      filter.bits?.({ source, start: 0, end: DEMO_ROWS.length }, bits, 0);
      if (filter.bits !== undefined) assert.equal(bits[0]! | (bits[1]! << 8), sum, text);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.ok(error instanceof MilvusError, `${text}: ${error}`);
      assert.equal(error.code, 1100, text);
    }
  }
  assert.ok(answered > FILTERS / 10, `${answered} answered`);
});
