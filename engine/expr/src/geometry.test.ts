import assert from 'node:assert/strict';
import test from 'node:test';
import { isRelated, readShape, type Shape } from './geometry.ts';

const shape = (text: string): Shape => readShape(text)!;
const comb = (corners: number, flip: boolean): Shape => {
  const points = Array.from({ length: corners }, (_, i) => [i % 2 === 0 ? 0 : corners, i] as const);
  return shape(`LINESTRING (${points.map(([x, y]) => (flip ? `${y} ${x}` : `${x} ${y}`)).join(', ')})`);
};

test('shapes that are apart, empty or the same are told apart as OGC has it', () => {
  const square = shape('POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))');
  const far = shape('POINT (9 9)');
  const nothing = shape('POINT EMPTY');
  for (const relation of [
    'equals',
    'touches',
    'overlaps',
    'crosses',
    'contains',
    'intersects',
    'within',
  ] as const) {
    assert.equal(isRelated(square, relation, far), false, relation);
    assert.equal(isRelated(square, relation, nothing), false, relation);
  }
  assert.equal(isRelated(nothing, 'equals', shape('LINESTRING EMPTY')), true);
  assert.equal(isRelated(square, 'touches', shape('POINT (4 2)')), true);
  assert.equal(isRelated(square, 'equals', shape('POLYGON ((4 0, 4 4, 0 4, 0 0, 4 0))')), true);
});

test('two shapes with too many edges near each other are refused, not waited for', () => {
  assert.equal(isRelated(comb(60, false), 'intersects', comb(60, true)), true);
  assert.throws(
    () => isRelated(comb(2_000, false), 'intersects', comb(2_000, true)),
    /too large to be compared/,
  );
});
