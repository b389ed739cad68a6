import type { Shape } from './geometry.ts';

/** Edges next to each other meet, and some more do in any drawing. */
const USUAL_PER_EDGE = 4;
/** Looks at two edges, of which one takes a nanosecond, for each meeting that is allowed. */
const LOOKS_PER_MEETING = 250;

/**
 * Whether more than `meetingsMax` pairs of the edges of some shapes, those that any drawing has aside, may cross each other:
 * the boxes around them meet. What geometry libraries do takes long for each such pair, and not for others.
 */
export function hasCrowdedEdges(shapes: readonly Shape[], meetingsMax: number): boolean {
  const lines = shapes.flatMap((shape) => [...linesOf(shape)]);
  const edges = new Edges(lines.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0));
  for (const points of lines) edges.addLine(points);
  return (
    edges.countMeetings(meetingsMax + USUAL_PER_EDGE * edges.count) >
    meetingsMax + USUAL_PER_EDGE * edges.count
  );
}

type Points = ReturnType<Shape['getCoordinates']>;

function* linesOf(shape: Shape): Generator<Points> {
  if (shape.isEmpty()) return;
  if (shape.getGeometryType() === 'Polygon') {
    yield shape.getExteriorRing().getCoordinates();
    for (let at = 0; at < shape.getNumInteriorRing(); at++) yield shape.getInteriorRingN(at).getCoordinates();
    return;
  }
  if (shape.getNumGeometries() === 1) {
    const [only] = [shape.getGeometryN(0)];
    if (only === shape) yield shape.getCoordinates();
    else yield* linesOf(only);
    return;
  }
  for (let at = 0; at < shape.getNumGeometries(); at++) yield* linesOf(shape.getGeometryN(at));
}

/** Edges as the boxes around them. */
class Edges {
  count = 0;
  readonly #west: Float64Array;
  readonly #east: Float64Array;
  readonly #south: Float64Array;
  readonly #north: Float64Array;

  constructor(room: number) {
    this.#west = new Float64Array(room);
    this.#east = new Float64Array(room);
    this.#south = new Float64Array(room);
    this.#north = new Float64Array(room);
  }

  addLine(points: Points): void {
    for (let at = 1; at < points.length; at++) {
      const [from, to] = [points[at - 1]!, points[at]!];
      this.#west[this.count] = Math.min(from.x, to.x);
      this.#east[this.count] = Math.max(from.x, to.x);
      this.#south[this.count] = Math.min(from.y, to.y);
      this.#north[this.count] = Math.max(from.y, to.y);
      this.count += 1;
    }
  }

  /** How many pairs of boxes meet; more than `most` when there are more, or when finding out would take too long. */
  countMeetings(most: number): number {
    const order = Uint32Array.from({ length: this.count }, (_, edge) => edge);
    order.sort((a, b) => this.#west[a]! - this.#west[b]!);
    // Those that reach as far east as the one that is looked at begins.
    const open = new Uint32Array(this.count);
    let opened = 0;
    let meetings = 0;
    let looks = 0;
    for (const edge of order) {
      let kept = 0;
      for (let at = 0; at < opened; at++) {
        const other = open[at]!;
        if (this.#east[other]! < this.#west[edge]!) continue;
        open[kept++] = other;
        if (this.#south[other]! <= this.#north[edge]! && this.#north[other]! >= this.#south[edge]!)
          meetings += 1;
      }
      looks += opened;
      if (meetings > most || looks > most * LOOKS_PER_MEETING) return most + 1;
      open[kept++] = edge;
      opened = kept;
    }
    return meetings;
  }
}
