import { type Box, boxAround, type Leaf } from '@elanus/expr';
import { forEachRowIn, rootBox } from './box-tree.ts';
import type { Probe } from './probe-values.ts';
import type { BoxPart, ScalarIndexData } from './scalar-index.ts';

const METRES_PER_DEGREE = 6_371_008.8 * (Math.PI / 180);
/** Nearer to the poles a small distance spans many degrees of longitude. */
const LATITUDE_MAX = 80;
const STEP_COST = 50;

/** Which shapes have a box that meets the one around the leaf's shape. */
export function boxesOf(index: ScalarIndexData, part: BoxPart, leaf: Leaf): Probe | null {
  if (leaf.kind !== 'geometry' || leaf.negated || leaf.field.id !== index.spec.place.fieldId) return null;
  const boxes = wantedBoxes(part, leaf.test);
  if (boxes === null) return null;
  const root = rootBox(part);
  const rows = root === undefined ? 0 : part.rows.length * Math.min(1, shareOf(boxes[0]!, root));
  return {
    cost: (1 + Math.log2(part.rows.length + 1) + rows) * STEP_COST,
    rows,
    isExact: false,
    *marking(bits) {
      for (const box of boxes)
        forEachRowIn(part, box, (row) => {
          bits[row >>> 3]! |= 1 << (row & 7);
        });
    },
  };
}

type GeometryTest = Extract<Leaf, { kind: 'geometry' }>['test'];

/** Where shapes that pass the test must lie at least in part; `null` when that can't be said. */
function wantedBoxes(part: BoxPart, test: GeometryTest): readonly Box[] | null {
  if (test.kind === 'validity') return null;
  const box = boxAround(test.shape);
  if (box === undefined) return null;
  if (test.kind === 'relation') return [box];
  const root = rootBox(part);
  if (root === undefined) return [box];
  if (!isOnGlobe(root)) return null;
  const degrees = (test.metresMax / METRES_PER_DEGREE) * 1.001;
  const [south, north] = [box.south - degrees, box.north + degrees];
  if (!isOnGlobe(box) || south < -LATITUDE_MAX || north > LATITUDE_MAX) return null;
  const nearPole = Math.max(Math.abs(south), Math.abs(north));
  const wide = degrees / Math.cos((nearPole * Math.PI) / 180) + 0.001;
  if (wide >= 90) return null;
  const near = { west: box.west - wide, south, east: box.east + wide, north };
  // Degrees of longitude come again after 360.
  return [0, -360, 360].map((turn) => ({ ...near, west: near.west + turn, east: near.east + turn }));
}

function isOnGlobe({ west, south, east, north }: Box): boolean {
  return west >= -180 && east <= 180 && south >= -90 && north <= 90;
}

/** What share of `whole` a box takes, roughly. */
function shareOf(box: Box, whole: Box): number {
  const overlap = (low: number, high: number, from: number, to: number): number =>
    to > from ? Math.max(0, Math.min(high, to) - Math.max(low, from)) / (to - from) : 1;
  return (
    overlap(box.west, box.east, whole.west, whole.east) *
    overlap(box.south, box.north, whole.south, whole.north)
  );
}
