import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, type RowNumbers } from './evaluate.ts';
import type { CombineExpression } from './function-chain.ts';

const combine = (options: Partial<CombineExpression>): CombineExpression => ({
  ...{ kind: 'num_combine', inputs: ['a', 'b', 'c'], mode: 'sum', weights: [], nulls: 'propagate' },
  ...options,
});

const COMBINED: readonly (readonly [
  what: string,
  options: Partial<CombineExpression>,
  numbers: RowNumbers,
  value: number | null,
])[] = [
  ['a sum', { mode: 'sum' }, [1, 2, 4], 7],
  ['a product', { mode: 'multiply' }, [1, 2, 4], 8],
  ['the greatest', { mode: 'max' }, [1, 4, 2], 4],
  ['the least', { mode: 'min' }, [2, 1, 4], 1],
  ['the average', { mode: 'avg' }, [1, 2, 6], 3],
  ['a weighted sum', { mode: 'weighted', weights: [1, 10, 100] }, [1, 2, 3], 321],
  ['nothing of a null', {}, [1, null, 4], null],
  ['a null as zero', { nulls: 'as_zero' }, [1, null, 4], 5],
  ['the product of a null as zero', { nulls: 'as_zero', mode: 'multiply' }, [3, null, 4], 0],
  ['what is no null', { nulls: 'skip' }, [1, null, 4], 5],
  ['the average of what is no null', { nulls: 'skip', mode: 'avg' }, [1, null, 4], 2.5],
  [
    'weights at their own places',
    { nulls: 'skip', mode: 'weighted', weights: [1, 10, 100] },
    [1, null, 3],
    301,
  ],
  ['nothing of nulls alone', { nulls: 'skip' }, [null, null, null], null],
  ['a float32', { mode: 'avg' }, [0.1, 0.1, 0.1], Math.fround(0.1)],
];
for (const [what, options, numbers, value] of COMBINED)
  test(`numbers are combined to ${what}`, () => assert.equal(evaluate(combine(options), numbers), value));

test('decay is 1 at the origin and its share at its scale', () => {
  for (const curve of ['gauss', 'exp', 'linear'] as const) {
    const decay = {
      kind: 'decay',
      inputs: ['a'],
      curve: { curve, origin: 5, scale: 2, offset: 1, decay: 0.25 },
    } as const;
    assert.deepEqual(
      [5, 6, 8, null].map((value) => evaluate(decay, [value])),
      [1, 1, 0.25, null],
    );
  }
});

test('numbers are rounded, halves up', () => {
  const round = { kind: 'round_decimal', inputs: ['a'], decimal: 1 } as const;
  assert.deepEqual(
    [0.25, -0.25, 1.04, null].map((value) => evaluate(round, [value])),
    [0.3, -0.2, 1, null].map((value) => (value === null ? null : Math.fround(value))),
  );
});
