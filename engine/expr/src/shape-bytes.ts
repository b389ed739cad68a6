import type { FieldId } from '@elanus/model';
import { isCrowdedConstant } from './geometry.ts';
import type { Condition, GeometryLeaf } from './plan.ts';

/** A corner is a digit, a blank, a digit and a comma, or more. */
const CORNER_BYTES_MIN = 4;
/** Pairs of edges that cross, each at 12 µs, within a few milliseconds. */
const MEETINGS_MAX = 400;
/** So many edges have fewer pairs. */
const OWN_CORNERS_MAX = 28;
/** Constants of more corners are not looked at here: whatever is compared with them is for other threads. */
const CONSTANT_CORNERS_MAX = 256;
/** Corners of a shape that is checked within the same time, should each have to be compared with each other. */
const CHECKED_CORNERS_MAX = 350;
/** Corners of a shape whose distance to a point is measured within it. */
const MEASURED_CORNERS_MAX = 1_000;

/**
 * How many bytes of WKT a stored shape other than a point may have, by field, for a condition's test to end within a few
 * milliseconds whatever it is drawn like; none, when a point would take longer. What is longer is for other threads.
 * Empty when the condition asks about no shapes.
 */
export function shapeBytesMax(condition: Condition): ReadonlyMap<FieldId, number> {
  const bytes = new Map<FieldId, number>();
  const left: Condition[] = [condition];
  for (let next = left.pop(); next !== undefined; next = left.pop())
    if (next.kind === 'and' || next.kind === 'or') for (const operand of next.operands) left.push(operand);
    else if (next.kind === 'geometry')
      bytes.set(
        next.field.id,
        Math.min(bytes.get(next.field.id) ?? Number.POSITIVE_INFINITY, bytesOf(next.test)),
      );
  return bytes;
}

function bytesOf(test: GeometryLeaf['test']): number {
  if (test.kind === 'validity') return CHECKED_CORNERS_MAX * CORNER_BYTES_MIN;
  if (test.kind === 'distance') return MEASURED_CORNERS_MAX * CORNER_BYTES_MIN;
  const corners = test.shape.split(',').length;
  if (corners > CONSTANT_CORNERS_MAX) return 0;
  if (corners > OWN_CORNERS_MAX && isCrowdedConstant(test.shape, MEETINGS_MAX)) return 0;
  return Math.floor(Math.min(OWN_CORNERS_MAX, MEETINGS_MAX / corners)) * CORNER_BYTES_MIN;
}
