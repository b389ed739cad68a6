import assert from 'node:assert/strict';
import test from 'node:test';
import { hasCrowdedEdges } from './edge-meetings.ts';
import { readShape, type Shape } from './geometry.ts';

const shape = (text: string): Shape => readShape(text)!;
const joined = (points: readonly (readonly [number, number])[]): string =>
  points.map(([x, y]) => `${x} ${y}`).join(', ');

/** Goes to and fro: every edge crosses, or nearly, all that another one like it has. */
function zigzag(corners: number, isUpright: boolean): Shape {
  const points = Array.from({ length: corners }, (_, i) => [(i % 2) * corners, i] as const);
  return shape(`LINESTRING (${joined(points.map(([x, y]) => (isUpright ? [y, x] : [x, y])))})`);
}

function ring(corners: number): readonly (readonly [number, number])[] {
  const points = Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [100 * Math.cos(angle), 100 * Math.sin(angle)] as const;
  });
  return [...points, points[0]!];
}

test('shapes as they are drawn are not crowded, however many corners they have', () => {
  const islands = Array.from(
    { length: 400 },
    (_, i) => `((${joined(ring(10).map(([x, y]) => [x + 300 * i, y]))}))`,
  );
  for (const text of [
    `POLYGON ((${joined(ring(4_000))}))`,
    `POLYGON ((${joined(ring(1_000))}), (${joined(ring(1_000).map(([x, y]) => [x / 2, y / 2]))}))`,
    `MULTIPOLYGON (${islands.join(', ')})`,
    `GEOMETRYCOLLECTION (POINT (1 1), POLYGON ((${joined(ring(500))})), LINESTRING EMPTY)`,
    'POINT EMPTY',
    'MULTIPOINT (1 1)',
  ])
    assert.equal(hasCrowdedEdges([shape(text)], 1_000), false, text.slice(0, 40));
});

test('shapes whose edges cross each other are, by themselves or beside another', () => {
  const star = Array.from({ length: 401 }, (_, i) => ring(401)[(i * 200) % 401]!);
  assert.equal(hasCrowdedEdges([shape(`LINESTRING (${joined(star)})`)], 10_000), true);
  assert.equal(hasCrowdedEdges([zigzag(300, false), zigzag(300, true)], 10_000), true);
  assert.equal(hasCrowdedEdges([zigzag(60, false), zigzag(60, true)], 10_000), false);
  const parts = Array.from({ length: 300 }, (_, i) => `(0 ${i}, 300 ${i}.5)`).join(', ');
  const others = Array.from({ length: 300 }, (_, i) => `(${i} 0, ${i}.5 300)`).join(', ');
  assert.equal(
    hasCrowdedEdges([shape(`MULTILINESTRING (${parts})`), shape(`MULTILINESTRING (${others})`)], 10_000),
    true,
  );
});
