import type { GeometryColumn } from '@elanus/model';
import { type Evaluator, rowEvaluator } from './evaluator.ts';
import {
  isRelated,
  isValidShape,
  metresBetween,
  readConstantShape,
  readShape,
  type Shape,
} from './geometry.ts';
import type { GeometryLeaf } from './plan.ts';

/** The evaluator of a spatial test on a Geometry column, which holds WKT. A text that is none is as null. */
export function geometryEvaluator({ field, test, negated }: GeometryLeaf): Evaluator {
  const testShape = shapeTest(test);
  return rowEvaluator(({ source }) => {
    const { bytes, offsets, validity } = source.column(field.id) as GeometryColumn;
    return (row) => {
      if (validity !== null && validity[row] === 0) return false;
      const shape = readShape(textOf(bytes, offsets[row]!, offsets[row + 1]!));
      return shape !== undefined && testShape(shape) !== negated;
    };
  });
}

function shapeTest(test: GeometryLeaf['test']): (shape: Shape) => boolean {
  if (test.kind === 'validity') return isValidShape;
  const constant = readConstantShape(test.shape)!;
  if (test.kind === 'relation') return (shape) => isRelated(shape, test.relation, constant);
  return (shape) => !shape.isEmpty() && metresBetween(shape, constant) <= test.metresMax;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}
