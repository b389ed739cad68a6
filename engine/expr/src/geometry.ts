import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { invalidParameter } from '@elanus/model';
import { hasCrowdedEdges } from './edge-meetings.ts';
import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';
import type { SpatialRelation } from './plan.ts';
import { SHAPE_MODULES } from './shape-modules.ts';

/** A shape of the library, whose makers wrote no types: what we use of it. */
export interface Shape {
  getGeometryType(): string;
  getNumPoints(): number;
  getCoordinates(): readonly Point[];
  getNumGeometries(): number;
  getGeometryN(at: number): Shape;
  /** Of polygons alone, as the next two. */
  getExteriorRing(): Shape;
  getNumInteriorRing(): number;
  getInteriorRingN(at: number): Shape;
  getEnvelopeInternal(): Record<'getMinX' | 'getMaxX' | 'getMinY' | 'getMaxY', () => number> & {
    intersects(other: unknown): boolean;
  };
  isEmpty(): boolean;
}

/** Degrees, or whatever the shapes are drawn in. */
interface Point {
  readonly x: number;
  readonly y: number;
}

interface Library {
  readonly reader: { read(text: string): Shape };
  readonly relate: Record<
    'equalsTopo' | 'touches' | 'overlaps' | 'crosses' | 'contains' | 'intersects',
    (left: Shape, right: Shape) => boolean
  >;
  readonly distance: { nearestPoints(left: Shape, right: Shape): readonly [Point, Point] };
  readonly validity: { isValid(shape: Shape): boolean };
}

let library: Library | undefined;

/** The library's modules in one file; without it, which tools make, they are loaded one by one in 90 ms. */
const IN_ONE_FILE = '../build/shapes.cjs';

/** Loaded by whoever needs it first: no start of a server should wait for it. */
function jsts(): Library {
  if (library !== undefined) return library;
  const require = createRequire(import.meta.url);
  const isInOneFile = existsSync(new URL(IN_ONE_FILE, import.meta.url));
  const modules = isInOneFile ? (require(IN_ONE_FILE) as Modules) : oneByOne(require);
  library = { ...modules, reader: new modules.reader() };
  return library;
}

type Modules = Omit<Library, 'reader'> & { readonly reader: new () => Library['reader'] };

function oneByOne(require: NodeJS.Require): Modules {
  const load = ([name, path]: readonly [string, string]) => [
    name,
    (require(path) as { default: unknown }).default,
  ];
  return Object.fromEntries(Object.entries(SHAPE_MODULES).map(load)) as Modules;
}

/** Loads the library, when nobody else has. */
export function loadShapes(): void {
  isShape('POINT (0 0)');
}

const NESTING_MAX = 16;
const EARTH_RADIUS_M = 6_371_008.8;

/** The shape that a WKT text says; `undefined` when it says none. Never throws. */
export function readShape(text: string): Shape | undefined {
  if (!/(?:\)|\bEMPTY)\s*$/i.test(text) || !isNestedWell(text)) return undefined;
  try {
    const shape = jsts().reader.read(text);
    const envelope = shape.getEnvelopeInternal();
    const corners = [envelope.getMinX(), envelope.getMaxX(), envelope.getMinY(), envelope.getMaxY()];
    return shape.isEmpty() || corners.every(Number.isFinite) ? shape : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of a stored WKT: some thousand corners. */
export const SHAPE_BYTES_MAX = 65_536;

let lastConstant: { readonly text: string; readonly shape: Shape } | undefined;

/** As `readShape`, of a constant: a filter's are read by whoever checks, plans and tests it, one after the other. */
export function readConstantShape(text: string): Shape | undefined {
  if (lastConstant?.text === text) return lastConstant.shape;
  const shape = readShape(text);
  if (shape !== undefined) lastConstant = { text, shape };
  return shape;
}

/** Whether so many pairs of a constant's edges may cross each other that comparing it with anything takes long. */
export function isCrowdedConstant(text: string, meetingsMax: number): boolean {
  const shape = readConstantShape(text);
  return shape !== undefined && hasCrowdedEdges([shape], meetingsMax);
}

/** Whether a text is the WKT of a shape. */
export function isShape(text: string): boolean {
  return readShape(text) !== undefined;
}

/** The reader recurses, and takes whatever follows a shape. */
function isNestedWell(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(' && ++depth > NESTING_MAX) return false;
    if (text[at] === ')' && (--depth < 0 || (depth === 0 && text.slice(at + 1).trim() !== ''))) return false;
  }
  return depth === 0;
}

/** @throws FilterError when `text` is no WKT, or not of the kind that is asked for */
export function requireShape(text: string, kind: 'any' | 'point', phase: 'parse' | 'fill'): void {
  if (text.length > FILTER_LIMITS.shapeLengthMax)
    throw new FilterError(`a WKT longer than ${FILTER_LIMITS.shapeLengthMax} characters`, phase);
  const shape = readConstantShape(text);
  if (shape === undefined) throw new FilterError(`invalid WKT: ${text.slice(0, 64)}`, phase);
  if (kind === 'point' && (shape.getGeometryType() !== 'Point' || shape.isEmpty()))
    throw new FilterError(`st_dwithin needs a POINT, but got: ${text.slice(0, 64)}`, phase);
}

/**
 * Pairs of edges that may cross, for two shapes that are compared: each takes the library 12 µs when they do, all of them
 * about a second. Who stores shapes drawn so that they do may not hold the server.
 */
const MEETINGS_MAX = 80_000;
/** So few corners have fewer pairs of edges. */
const CORNERS_UNCHECKED = 400;

/**
 * Whether `left` is in the relation to `right`, as OGC defines it.
 * @throws MilvusError 1100 when too many of their edges may cross each other, or others of the same shape
 */
export function isRelated(left: Shape, relation: SpatialRelation, right: Shape): boolean {
  // Whatever is asked for, shapes apart from each other are not in that relation.
  if (!left.getEnvelopeInternal().intersects(right.getEnvelopeInternal()))
    return relation === 'equals' && left.isEmpty() && right.isEmpty();
  checkSize(left, right);
  const { relate } = jsts();
  if (relation === 'within') return relate.contains(right, left);
  return relate[relation === 'equals' ? 'equalsTopo' : relation](left, right);
}

/** Of shapes that were looked at: a constant is compared with many. */
const crowded = new WeakMap<Shape, boolean>();

function isCrowded(shape: Shape): boolean {
  let known = crowded.get(shape);
  if (known === undefined) {
    known = hasCrowdedEdges([shape], MEETINGS_MAX);
    crowded.set(shape, known);
  }
  return known;
}

function checkSize(left: Shape, right: Shape): void {
  const [corners, others] = [left.getNumPoints(), right.getNumPoints()];
  if (corners + others <= CORNERS_UNCHECKED) return;
  const areApart = corners * others <= MEETINGS_MAX || !hasCrowdedEdges([left, right], MEETINGS_MAX);
  if (areApart && !isCrowded(left) && !isCrowded(right)) return;
  throw invalidParameter(
    `shapes of ${corners} and ${others} corners are too large to be compared: more than ${MEETINGS_MAX} pairs of their edges may cross`,
  );
}

/** Metres between the nearest points of two shapes, whose coordinates are degrees east and north. */
export function metresBetween(left: Shape, right: Shape): number {
  checkSize(left, right);
  const [from, to] = jsts().distance.nearestPoints(left, right);
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const north = Math.sin(radians(to.y - from.y) / 2) ** 2;
  const east = Math.sin(radians(to.x - from.x) / 2) ** 2;
  const half = north + Math.cos(radians(from.y)) * Math.cos(radians(to.y)) * east;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(half)));
}

/** Corners of a shape that is checked: each may have to be compared with each other, which takes up to a second. */
const CHECKED_CORNERS_MAX = 5_000;

/**
 * Whether the shape is one that OGC calls simple and valid.
 * @throws MilvusError 1100 when it has too many corners
 */
export function isValidShape(shape: Shape): boolean {
  const corners = shape.getNumPoints();
  if (corners > CHECKED_CORNERS_MAX)
    throw invalidParameter(
      `a shape of ${corners} corners is too large to be checked: at most ${CHECKED_CORNERS_MAX} of them are`,
    );
  return jsts().validity.isValid(shape);
}
