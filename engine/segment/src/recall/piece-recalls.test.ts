import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PieceRecalls } from './piece-recalls.ts';
import { RecallCurve } from './recall-curve.ts';

const CURVE = new RecallCurve(
  [
    { ef: 10, recall: 0.8, standardError: 0.01, isScanned: false },
    { ef: 40, recall: 0.99, standardError: 0.002, isScanned: false },
  ],
  { margin: 0.002 },
);

test('what is known of an index serves whoever begins with it, and is measured again when others want to', () => {
  const before = new PieceRecalls();
  before.learn({ hits: 10, halvings: 2 }, CURVE);
  before.learn({ hits: 100, halvings: 0 }, null);
  const kept = JSON.parse(JSON.stringify(before.known));

  const after = new PieceRecalls();
  after.restore(kept);
  assert.deepEqual(
    after.effortFor({ hits: 10, halvings: 2 }, 0.95),
    before.effortFor({ hits: 10, halvings: 2 }, 0.95),
  );
  assert.equal(after.nextWish, null);
  assert.equal(after.effortFor({ hits: 100, halvings: 0 }, 0.95), null);
  assert.deepEqual(
    after.nextWish,
    { hits: 100, halvings: 0 },
    'what could not be measured may be tried again',
  );
  after.learn({ hits: 100, halvings: 0 }, CURVE);
  after.renew();
  assert.deepEqual(after.nextWish, { hits: 10, halvings: 2 });
});
