import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PieceRecalls } from './piece-recalls.ts';
import { recallClassOf } from './recall-class.ts';
import { RecallCurve } from './recall-curve.ts';

const POINTS = [
  { ef: 10, recall: 0.8, standardError: 0, isScanned: false },
  { ef: 40, recall: 0.9, standardError: 0, isScanned: false },
  { ef: 160, recall: 1, standardError: 0, isScanned: false },
];

describe('a curve of recall', () => {
  for (const [target, ef, recall] of [
    [0.5, 10, 0.8],
    [0.8, 10, 0.8],
    [0.85, 18, 0.85],
    [0.9, 40, 0.9],
    [0.95, 50, 0.95],
    [1, 160, 1],
  ] as const)
    it(`says how much effort a recall of ${target} takes`, () => {
      const effort = new RecallCurve(POINTS, { margin: 0 }).effortFor(target)!;
      assert.equal(effort.ef, ef);
      assert.ok(Math.abs(effort.recall - recall) < 1e-9, `${effort.recall}`);
    });

  it('has no effort for what was not reached', () => {
    assert.equal(new RecallCurve(POINTS.slice(0, 2), { margin: 0 }).effortFor(0.95), null);
  });

  it('takes nothing for known between an effort that walks and one that scans', () => {
    const points = [
      { ef: 30, recall: 0.93, standardError: 0, isScanned: false },
      { ef: 40, recall: 1, standardError: 0, isScanned: true },
    ];
    assert.deepEqual(new RecallCurve(points, { margin: 0 }).effortFor(0.98), { ef: 40, recall: 1 });
  });

  it('does not trust a measurement by more than its error and the margin', () => {
    const points = [
      { ef: 10, recall: 0.9, standardError: 0.01, isScanned: false },
      { ef: 20, recall: 0.96, standardError: 0.01, isScanned: false },
    ];
    assert.ok(new RecallCurve(points, { margin: 0.04 }).effortFor(0.9)!.ef > 10);
    assert.ok(new RecallCurve(points, { margin: 0.052 }).effortFor(0.9) !== null, 'half of the error');
    assert.equal(new RecallCurve(points, { margin: 0.06 }).effortFor(0.9), null);
  });
});

describe('classes of searches', () => {
  for (const [hits, allowed, expected] of [
    [10, 100_000, { hits: 10, halvings: 0 }],
    [11, 70_000, { hits: 100, halvings: 0 }],
    [11, 50_000, { hits: 100, halvings: 1 }],
    [1, 10_000, { hits: 10, halvings: 3 }],
    [1000, 1_000, { hits: 1000, halvings: 6 }],
    [1001, 100_000, null],
    [10, 1, null],
    [10, 0, null],
  ] as const)
    it(`${hits} hits of ${allowed} in 100,000 rows`, () => {
      assert.deepEqual(recallClassOf(hits, allowed, 100_000), expected);
    });
});

describe('what is known of an index', () => {
  const wanted = { hits: 10, halvings: 0 };

  it('is asked for when it is missing, and used when it is there', () => {
    const recalls = new PieceRecalls();
    assert.equal(recalls.nextWish, null);
    assert.equal(recalls.effortFor(wanted, 0.9), null);
    assert.deepEqual(recalls.nextWish, wanted);
    recalls.learn(wanted, new RecallCurve(POINTS, { margin: 0 }));
    assert.equal(recalls.nextWish, null);
    assert.equal(recalls.effortFor(wanted, 0.9)?.ef, 40);
    assert.deepEqual(
      [...recalls.used].map(({ target, effort }) => [target, effort.ef]),
      [[0.9, 40]],
    );
  });

  it('is not asked for again when no effort is enough', () => {
    const recalls = new PieceRecalls();
    recalls.effortFor(wanted, 0.9);
    recalls.learn(wanted, null);
    assert.equal(recalls.effortFor(wanted, 0.9), null);
    assert.equal(recalls.nextWish, null);
  });
});
