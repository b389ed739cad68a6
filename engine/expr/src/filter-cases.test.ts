import assert from 'node:assert/strict';
import test from 'node:test';
import { type CollectionSchema, MilvusError } from '@elanus/model';
import { compilePredicate } from './compile.ts';
import { planFilter } from './plan-filter.ts';
import type { TemplateValue } from './templates.ts';
import { DEMO_CASES, type FilterCase, type Outcome } from './testing/demo-cases.ts';
import { columnsOf, DEMO_ROWS, demoSchema, type Row } from './testing/demo-rows.ts';
import { MORE_CASES, MORE_ROWS, MORE_SCHEMA } from './testing/more-cases.ts';

/** The ids of the rows that the filter keeps. */
function idsOf(
  filter: string,
  schema: CollectionSchema,
  rows: readonly Row[],
  templates: ReadonlyMap<string, TemplateValue>,
): number[] {
  const predicate = planFilter(filter, schema, templates);
  const matches = new Uint8Array(rows.length).fill(7);
  if (predicate === null) matches.fill(1);
  else compilePredicate(predicate)(columnsOf(schema, rows), 0, rows.length, matches);
  return rows.flatMap((row, index) => (matches[index] === 1 ? [row.id as number] : []));
}

function testCases(cases: readonly FilterCase[], schema: CollectionSchema, rows: readonly Row[]): void {
  for (const [number, filter, outcome, templates = {}] of cases)
    test(`${number}: ${filter} ${describe(outcome)}`, () => {
      const answer = () => idsOf(filter, schema, rows, new Map(Object.entries(templates)));
      if (typeof outcome === 'string') assert.throws(answer, (error) => isRefusal(error, outcome));
      else if ('sampleOf' in outcome) assert.ok(answer().every((id) => outcome.sampleOf.includes(id)));
      else assert.deepEqual(answer(), outcome);
    });
}

function describe(outcome: Outcome): string {
  if (typeof outcome === 'string') return `is refused: ${outcome}`;
  if ('sampleOf' in outcome) return `keeps a part of ${outcome.sampleOf}`;
  return `keeps ${outcome.length === 0 ? 'nothing' : outcome}`;
}

function isRefusal(error: unknown, fragment: string): boolean {
  assert.ok(error instanceof MilvusError, String(error));
  assert.equal(error.code, 1100);
  assert.ok(error.message.includes(fragment), error.message);
  assert.ok(error.message.endsWith(': invalid parameter'), error.message);
  return true;
}

testCases(DEMO_CASES, demoSchema('dynamic'), DEMO_ROWS);
testCases(MORE_CASES, MORE_SCHEMA, MORE_ROWS);

test('every case of the reference table is there once', () => {
  const numbers = new Set([...DEMO_CASES, ...MORE_CASES].map(([number]) => number));
  assert.deepEqual(
    [...numbers].sort((a, b) => a - b),
    Array.from({ length: 354 }, (_, index) => index + 1),
  );
});

test('a sample of many rows is about as large as it should be, and another one the next time', () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => ({ ...DEMO_ROWS[0]!, id: index }));
  const sampled = () => idsOf('id >= 10000 and random_sample(0.3)', demoSchema('dynamic'), rows, new Map());
  const [first, second] = [sampled(), sampled()];
  for (const { length } of [first, second]) assert.ok(length > 2_700 && length < 3_300, String(length));
  assert.ok(first.every((id) => id >= 10_000));
  assert.notDeepEqual(first, second);
});
