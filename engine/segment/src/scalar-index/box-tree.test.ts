import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileCondition, type Leaf, planFilter } from '@elanus/expr';
import { type Column, DataType, type FieldId } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { type Random, seededRandom } from '@elanus/runtime';
import { buildScalarIndex } from './build-scalar-index.ts';
import { decodeScalarIndex, encodeScalarIndex } from './index-file.ts';
import { scalarIndexSpec } from './plan-index.ts';
import { probeIndex } from './probe-index.ts';

const shapeField = fieldFixture(101, 'shape', DataType.Geometry, { nullable: true });
const schema = schemaFixture([fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }), shapeField]);
const spec = scalarIndexSpec({
  indexType: 'RTREE',
  field: shapeField,
  steps: null,
  castType: null,
  gramMin: null,
})!;

function randomShape(random: Random): string {
  const at = (): string => `${random.below(3600) / 10 - 180} ${random.below(1500) / 10 - 75}`;
  switch (random.below(5)) {
    case 0:
      return 'POLYGON EMPTY';
    case 1:
      return `LINESTRING (${at()}, ${at()})`;
    case 2: {
      const [x, y, size] = [random.below(300) - 150, random.below(120) - 60, 1 + random.below(20)];
      return `POLYGON ((${x} ${y}, ${x + size} ${y}, ${x + size} ${y + size}, ${x} ${y + size}, ${x} ${y}))`;
    }
    case 3:
      return `MULTIPOINT ((${at()}), (${at()}))`;
    default:
      return `POINT (${at()})`;
  }
}

function columnOf(shapes: readonly string[], random: Random): Column {
  const parts = shapes.map((shape) => Buffer.from(shape));
  const offsets = new Uint32Array(shapes.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  const validity = Uint8Array.from(shapes, () => (random.chance(0.1) ? 0 : 1));
  const base = { dataType: DataType.Geometry, length: shapes.length, validity };
  return { ...base, offsets, bytes: new Uint8Array(Buffer.concat(parts)) } as Column;
}

describe('a tree of boxes', () => {
  for (const seed of [1, 2])
    it(`leaves no shape out that a test would find (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const shapes = Array.from({ length: 700 }, () => randomShape(random));
      const column = columnOf(shapes, random);
      const built = buildScalarIndex(spec, [{ column, rows: shapes.length, firstRow: 0 }], 1);
      const index = decodeScalarIndex(new Uint8Array(Buffer.concat(encodeScalarIndex(built))));
      const relations = ['equals', 'touches', 'overlaps', 'crosses', 'contains', 'intersects', 'within'];
      const filters = relations.flatMap((relation) =>
        Array.from({ length: 6 }, () => `st_${relation}(shape, "${randomShape(random)}")`),
      );
      for (const metres of [1000, 500_000, 3_000_000])
        for (const point of ['POINT (179.5 10)', 'POINT (-179 -60)', 'POINT (0 0)', 'POINT (20 85)'])
          filters.push(`st_dwithin(shape, "${point}", ${metres})`);
      let answered = 0;
      for (const filter of filters) {
        const leaf = planFilter(filter, schema)!.condition as Leaf;
        const matches = new Uint8Array(shapes.length);
        compileCondition(leaf)({ column: (_: FieldId) => column } as never, 0, shapes.length, matches);
        const probe = probeIndex(index, leaf);
        if (probe === null) continue;
        answered += 1;
        const bits = new Uint8Array(Math.ceil(shapes.length / 8));
        for (const _ of probe.marking(bits));
        for (const [row, isMatch] of matches.entries())
          assert.ok(isMatch === 0 || ((bits[row >> 3]! >> (row & 7)) & 1) === 1, `${filter}: ${shapes[row]}`);
      }
      assert.ok(answered > filters.length / 2, `${answered} of ${filters.length} answered`);
    });
});
