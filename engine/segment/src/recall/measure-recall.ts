import type { IndexHits, Kernel } from '@elanus/kernel';
import { type DenseVectorColumn, denseVectorBytes, type FieldSchema, type MetricType } from '@elanus/model';
import type { Random } from '@elanus/runtime';
import { copyBits, intersectBits } from '../vector-index/bitmap.ts';
import type { IndexedPiece, KeptRows } from '../vector-index/indexed-piece.ts';
import { vectorsOf } from '../vector-index/piece-vectors.ts';
import type { RecallClass } from './recall-class.ts';
import { type MeasuredRecall, RecallCurve } from './recall-curve.ts';

/** Vectors like those that searches come with. */
export interface SampledQueries {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Of queries that are rows of the index: which, for no query finds itself; otherwise `null`. */
  readonly rows: Uint32Array | null;
}

/** An index whose searches are to be calibrated, and with what. */
export interface RecallMeasurement {
  readonly piece: IndexedPiece;
  readonly field: FieldSchema;
  readonly metric: MetricType;
  readonly wanted: RecallClass;
  readonly queries: SampledQueries;
  readonly refineK: number;
}

/** What the measurement works with. */
export interface MeasuringTools {
  readonly kernel: Pick<Kernel, 'exactSearch'>;
  readonly random: Random;
  /** Awaited between batches of queries, for those who have no time to lose. @throws when it is to end */
  readonly pause: () => Promise<void>;
}

/** Queries that are searched between two pauses. */
const BATCH = 8;
/** Efforts that are tried, as multiples of the hits. */
const EFFORTS = [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];
/** A walk that would keep more of the rows in view is no better than comparing with all. */
const SHARE_MAX = 0.25;
/** Efforts that are tried besides, where searches begin to scan. */
const LEAP_TRIES = 3;
/** Nobody asks for more. */
const RECALL_ENOUGH = 0.9995;
/** What recall may be worse by with the queries that come than with those it was measured with. */
const MARGIN = 0.001;
/** A graph links a row to its neighbours: so many times what it misses is missed by a query that is no row. */
const MISSED_MORE_BY_OTHERS = 1.5;

/**
 * Compares searches of an index, with more and more effort, with exact ones of the same queries among the same rows, of
 * which as many are allowed as the class says. `null` when no effort beats comparing with every row.
 */
export async function measureRecall(
  measurement: RecallMeasurement,
  tools: MeasuringTools,
): Promise<RecallCurve | null> {
  const { piece, wanted, queries } = measurement;
  const allowed = allowedRows(piece, wanted, tools.random);
  const truth = await exactHits(measurement, allowed, tools);
  const measure = async (ef: number): Promise<MeasuredRecall> => {
    const found = await indexHits(measurement, { ef, allowed }, tools);
    const scans = found.reduce((sum, { effort }) => sum + effort!.scans, 0);
    return { ef, ...recallOf(found, truth, wanted.hits, queries), isScanned: 2 * scans > queries.count };
  };
  const points: MeasuredRecall[] = [];
  for (const multiple of EFFORTS) {
    const ef = Math.ceil(multiple * wanted.hits);
    if (ef > SHARE_MAX * (piece.rows / 2 ** wanted.halvings)) break;
    const point = await measure(ef);
    points.push(point);
    if (point.recall >= RECALL_ENOUGH) break;
  }
  await narrowLeap(points, measure);
  return points.length === 0 ? null : new RecallCurve(points, { margin: MARGIN });
}

/** Finds out more nearly between which efforts searches begin to scan: nothing is known of those between the two. */
async function narrowLeap(
  points: MeasuredRecall[],
  measure: (ef: number) => Promise<MeasuredRecall>,
): Promise<void> {
  for (let tries = 0; tries < LEAP_TRIES; tries++) {
    const at = points.findIndex(({ isScanned }, i) => isScanned && points[i - 1]?.isScanned === false);
    if (at < 0) return;
    const [before, after] = [points[at - 1]!.ef, points[at]!.ef];
    const ef = Math.round(Math.sqrt(before * after));
    if (ef === before || ef === after) return;
    points.splice(at, 0, await measure(ef));
  }
}

/**
 * Rows drawn by chance among those that have a vector, a few more than the class has at most; `null`: all of them. Where
 * fewer are allowed a search may scan that walks with these, and a scan finds no less.
 */
function allowedRows(
  { rows, present, runs }: IndexedPiece,
  { halvings }: RecallClass,
  random: Random,
): Uint8Array | null {
  if (halvings === 0 && runs.every(({ chunk }) => chunk !== null)) return present;
  const bits = new Uint8Array(Math.ceil(rows / 8));
  // Rows that are not kept any more are nobody's hits.
  for (const { chunk, from, to, firstRow } of runs)
    if (chunk !== null) copyBits(bits, firstRow, null, 0, to - from);
  if (present !== null) intersectBits(bits, present);
  for (let at = 0; at < bits.length && halvings > 0; at++) {
    // A sixteenth more than half, and halves of them.
    bits[at]! &= random.uint32() | (random.uint32() & random.uint32() & random.uint32() & random.uint32());
    for (let i = 1; i < halvings; i++) bits[at]! &= random.uint32();
  }
  return bits;
}

/** Of each query the rows of the index that an exact search finds, `hits` places a query, -1 for none. */
async function exactHits(
  { piece, field, metric, wanted, queries }: RecallMeasurement,
  allowed: Uint8Array | null,
  { kernel, pause }: MeasuringTools,
): Promise<Int32Array> {
  const runs = piece.runs.filter((run): run is KeptRows => run.chunk !== null);
  const vectors = vectorsOf({ runs, field, rows: piece.rows });
  const blocks = runs.map(({ firstRow }, at) => ({
    bytes: vectors.blocks[at]!.bytes,
    offsets: null,
    rows: vectors.blocks[at]!.rows,
    allowed: allowed === null ? null : bitsFrom(allowed, firstRow, vectors.blocks[at]!.rows),
    inverseNorms: null,
    keys: { type: 'int64' as const, values: rowNumbers(firstRow, vectors.blocks[at]!.rows) },
  }));
  const truth = new Int32Array(queries.count * wanted.hits).fill(-1);
  for (let first = 0; first < queries.count; first += BATCH) {
    await pause();
    const count = Math.min(BATCH, queries.count - first);
    const found = await kernel.exactSearch({
      dataType: vectors.dataType,
      metric,
      dim: vectors.dim,
      queries: batchOf(queries, first, count, field),
      queryOffsets: null,
      queryCount: count,
      k: wanted.hits + 1,
      blocks,
      radius: null,
      rangeFilter: null,
    });
    for (let query = 0; query < count; query++) {
      const start = query * (wanted.hits + 1);
      const places = Array.from({ length: found.counts[query]! }, (_, hit) => start + hit);
      const rows = places.map((at) => runs[found.blocks[at]!]!.firstRow + found.rows[at]!);
      truth.set(others(rows, queries, first + query).slice(0, wanted.hits), (first + query) * wanted.hits);
    }
  }
  return truth;
}

/** The rows but for the query itself. */
function others(
  rows: readonly number[],
  { rows: queries }: SampledQueries,
  query: number,
): readonly number[] {
  return queries === null ? rows : rows.filter((row) => row !== queries[query]);
}

function bitsFrom(bits: Uint8Array, first: number, count: number): Uint8Array {
  const own = new Uint8Array(Math.ceil(count / 8));
  const [start, shift] = [first >> 3, first & 7];
  for (let at = 0; at < own.length; at++)
    own[at] = (bits[start + at]! >> shift) | ((bits[start + at + 1] ?? 0) << (8 - shift));
  return own;
}

function rowNumbers(first: number, count: number): BigInt64Array {
  const numbers = new BigInt64Array(count);
  for (let row = 0; row < count; row++) numbers[row] = BigInt(first + row);
  return numbers;
}

function batchOf(queries: SampledQueries, first: number, count: number, field: FieldSchema): Uint8Array {
  const size = denseVectorBytes(field.dataType as DenseVectorColumn['dataType'], field.dim!);
  return queries.bytes.subarray(first * size, (first + count) * size);
}

async function indexHits(
  { piece, field, queries, refineK }: RecallMeasurement,
  { ef, allowed }: { readonly ef: number; readonly allowed: Uint8Array | null },
  { pause }: MeasuringTools,
): Promise<readonly IndexHits[]> {
  const found: IndexHits[] = [];
  for (let first = 0; first < queries.count; first += BATCH) {
    await pause();
    const queryCount = Math.min(BATCH, queries.count - first);
    const batch = batchOf(queries, first, queryCount, field);
    // As searches do: everything in view is compared exactly.
    found.push(
      await piece.index.search({
        ...{ queries: batch, queryCount, k: ef, ef, refineK, allowed, radius: null, rangeFilter: null },
        isMeasured: true,
      }),
    );
  }
  return found;
}

/** The mean share of true hits among as many of those found, as queries have it that are no rows of the index. */
function recallOf(
  found: readonly IndexHits[],
  truth: Int32Array,
  hits: number,
  queries: SampledQueries,
): Pick<MeasuredRecall, 'recall' | 'standardError'> {
  let sum = 0;
  let squares = 0;
  let query = 0;
  for (const { counts, rows } of found) {
    const stride = rows.length / counts.length;
    for (let at = 0; at < counts.length; at++, query++) {
      const own = new Set(truth.subarray(query * hits, (query + 1) * hits));
      own.delete(-1);
      const kept = others([...rows.subarray(at * stride, at * stride + counts[at]!)], queries, query);
      const right = kept.slice(0, hits).filter((row) => own.has(row)).length;
      const share = own.size === 0 ? 1 : right / own.size;
      sum += share;
      squares += share * share;
    }
  }
  const recall = sum / queries.count;
  const variance = Math.max(0, squares / queries.count - recall * recall);
  const missed = queries.rows === null ? 1 : MISSED_MORE_BY_OTHERS;
  return { recall: 1 - missed * (1 - recall), standardError: missed * Math.sqrt(variance / queries.count) };
}

/** Some rows of an index as queries, for as long as nobody has come with others. */
export function rowsAsQueries(
  { piece, field }: Pick<RecallMeasurement, 'piece' | 'field'>,
  count: number,
  random: Random,
): SampledQueries {
  const runs = piece.runs.filter((run): run is KeptRows => run.chunk !== null);
  const { blocks, dataType, dim } = vectorsOf({ runs, field, rows: piece.rows });
  const size = denseVectorBytes(dataType, dim);
  const chosen = new Set<number>();
  const vectors: Uint8Array[] = [];
  for (let tries = 4 * count; tries > 0 && chosen.size < count; tries--) {
    const block = random.below(blocks.length);
    const { bytes, rows } = blocks[block]!;
    const inBlock = random.below(rows);
    const row = runs[block]!.firstRow + inBlock;
    const isThere = piece.present === null || ((piece.present[row >> 3]! >> (row & 7)) & 1) === 1;
    if (!isThere || chosen.has(row)) continue;
    chosen.add(row);
    vectors.push(bytes.subarray(inBlock * size, (inBlock + 1) * size));
  }
  return { bytes: Buffer.concat(vectors), count: chosen.size, rows: Uint32Array.from(chosen) };
}
