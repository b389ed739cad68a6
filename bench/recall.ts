/**
 * Whether searches that name a recall keep it, and what that costs: three data sets, four shares of allowed rows, four
 * targets. Efforts are calibrated with the first queries of a data set and tried with others, under another bitmap; beside
 * them stands the best fixed `ef` that anybody who knew those others could have chosen. Times are processor time.
 *
 *   npm run bench:recall -- [--rows 50000] [--data l2-128] [--filter side]
 *
 * `--filter side` allows the rows on one side of a plane: most queries are far from them.
 */
import { parseArgs } from 'node:util';
import { type IndexSearch, loadKernel, type VectorIndex } from '@elanus/kernel';
import {
  type CollectionSchema,
  DataType,
  type FieldId,
  type FieldSchema,
  type PartitionId,
  type RowBatch,
  type SegmentId,
  type Timestamp,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, type Random, seededRandom, systemClock } from '@elanus/runtime';
import { hitsAtFirst, type IndexedPiece, measureRecall, Shard, vectorsOf } from '@elanus/segment';
import { DATA_SETS, type DataSet, type DataSetName, loadDataSet } from './kernel/data-set.ts';
import { pythonWith } from './python.ts';

const HITS = 10;
const HALVINGS = [0, 1, 3, 7];
const TARGETS = [0.9, 0.95, 0.98, 0.99];
/** As many as a server keeps. */
const CALIBRATION_QUERIES = 256;
const HELD_OUT_QUERIES = 200;
const SPEC = { type: 'HNSW', m: 16, efConstruction: 128, layout: 'auto' } as const;
const VECTOR = 101 as FieldId;
const ROWS_AT_ONCE = 8192;
/** From one fixed effort to the next. */
const EF_STEP = 1.1;
const EF_MAX = 2000;
const MISSED_BY_MAX = 0.01;
const TIMED_US = 150_000;
/** Searches compare so few rows one by one whatever they ask for. */
const SCANNED_ROWS_MAX = 1024;

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    data: { type: 'string', multiple: true },
    filter: { type: 'string', default: 'chance' },
  },
});
const kernel = loadKernel();
const names = options.data === undefined ? DATA_SETS : (options.data as DataSetName[]);
const python = pythonWith('numpy', ['numpy']);
const cells: Cell[] = [];
for (const name of names) cells.push(...(await measureDataSet(loadDataSet(python, name))));
const kept = cells.filter(({ recall, target }) => recall >= target - MISSED_BY_MAX).length;
const times = cells.map(({ timesBest }) => timesBest).sort((a, b) => a - b);
console.log(`${kept} of ${cells.length} cells keep their target within ${MISSED_BY_MAX}`);
console.log(`time of the best fixed effort: median ${times[times.length >> 1]}, worst ${times.at(-1)} times`);

interface Cell {
  readonly data: string;
  readonly allowed: string;
  readonly target: number;
  /** Found in the held-out queries. */
  readonly recall: number;
  /** What the search would tell. */
  readonly told: number;
  readonly ef: number | 'exact';
  readonly bestEf: number | 'exact';
  /** Processor time beside that of the best fixed effort. */
  readonly timesBest: number;
}

async function measureDataSet(data: DataSet): Promise<readonly Cell[]> {
  const rows = Math.min(Number(options.rows), data.shape.rows);
  const { piece, field } = await indexOf(data, rows);
  const found: Cell[] = [];
  for (const halvings of HALVINGS) {
    const wanted = { hits: HITS, halvings };
    const queries = {
      bytes: queriesOf(data, 0, CALIBRATION_QUERIES),
      count: CALIBRATION_QUERIES,
      rows: null,
    };
    const measurement = { piece, field, metric: data.shape.metric, wanted, queries, refineK: 1 };
    const pause = async () => {};
    const curve = await measureRecall(measurement, { kernel, random: seededRandom(1), pause });
    const trial = await openTrial(data, piece, field, halvings);
    for (const target of TARGETS) {
      const isScanned = rows / 2 ** halvings <= SCANNED_ROWS_MAX;
      const effort = isScanned ? null : (curve?.effortFor(target) ?? null);
      // Who compares all rows has no effort to choose.
      const best = isScanned ? ({ ef: 'exact', us: trial.exact.us() } as const) : bestFixed(trial, target);
      const ours = effort === null ? trial.exact : trial.at(effort.ef);
      const cell: Cell = {
        data: `${data.name}, ${rows} rows`,
        allowed: `${rounded(100 / 2 ** halvings)} %`,
        target,
        recall: rounded(ours.recall),
        told: rounded(effort?.recall ?? 1),
        ef: effort?.ef ?? 'exact',
        bestEf: best.ef,
        timesBest: rounded(ours.us() / best.us),
      };
      console.log(JSON.stringify(cell));
      found.push(cell);
    }
  }
  piece.close();
  return found;
}

/** The vectors in a shard, with one index over all of them. */
async function indexOf(
  { base, shape }: DataSet,
  rows: number,
): Promise<{ readonly piece: IndexedPiece; readonly field: FieldSchema }> {
  const field = fieldFixture(VECTOR, 'vector', DataType.FloatVector, { dim: shape.dim });
  const key = fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true });
  const schema: CollectionSchema = schemaFixture([key, field]);
  const share = new LoopShare(systemClock);
  const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 1, share });
  for (let start = 0, at = 1n; start < rows; start += ROWS_AT_ONCE, at += 1n) {
    const batch = batchOf(base, shape.dim, start, Math.min(ROWS_AT_ONCE, rows - start));
    const parts = [{ partitionId: 1n as PartitionId, batch }];
    const record = { kind: 'insert', duplicates: 'keep', parts } as const;
    (await shard.prepare(record, at as Timestamp))!.publish();
  }
  shard.vectorIndexes.open(field, { rowsMin: 1024 });
  const [index] = shard.vectorIndexes.of(VECTOR);
  const planned = index!.nextPiece()!;
  const vectors = vectorsOf(planned);
  const built = await kernel.buildIndex({
    ...vectors,
    metric: shape.metric,
    spec: SPEC,
    threads: 2,
    seed: 1,
  });
  index!.adopt(planned, built, null);
  return { piece: index!.pieces[0]!, field };
}

function batchOf(base: Uint8Array<ArrayBuffer>, dim: number, start: number, length: number): RowBatch {
  const values = BigInt64Array.from({ length }, (_, row) => BigInt(start + row));
  const bytes = base.subarray(4 * dim * start, 4 * dim * (start + length));
  const validity = null;
  return {
    length,
    columns: new Map([
      [100 as FieldId, { dataType: DataType.Int64, length, validity, values } as const],
      [VECTOR, { dataType: DataType.FloatVector, dim, length, validity, bytes } as const],
    ]),
  };
}

function queriesOf({ queries, shape }: DataSet, first: number, count: number): Uint8Array {
  return queries.subarray(4 * shape.dim * first, 4 * shape.dim * (first + count));
}

interface Outcome {
  readonly recall: number;
  /** Processor time of all queries, microseconds; measured when it is first asked for. */
  readonly us: () => number;
}

/** Held-out queries among rows of which so many are allowed. */
interface Trial {
  readonly exact: Outcome;
  readonly at: (ef: number) => Outcome;
}

async function openTrial(
  data: DataSet,
  piece: IndexedPiece,
  field: FieldSchema,
  halvings: number,
): Promise<Trial> {
  const allowed = halvings === 0 ? null : allowedBits(data, piece.rows, halvings);
  const { truth, us } = await exactly(data, piece, field, allowed);
  const known = new Map<number, Outcome>();
  const at = (ef: number): Outcome => {
    const outcome = known.get(ef) ?? walked(data, piece.index, { ef, allowed, truth });
    known.set(ef, outcome);
    return outcome;
  };
  return { exact: { recall: 1, us: () => us }, at };
}

function allowedBits(data: DataSet, rows: number, halvings: number): Uint8Array {
  const random = seededRandom(2);
  return options.filter === 'side'
    ? sideBits(data, rows, halvings, random)
    : drawnBits(rows, halvings, random);
}

/** The rows that lie farthest in some direction. */
function sideBits(
  { base, shape: { dim } }: DataSet,
  rows: number,
  halvings: number,
  random: Random,
): Uint8Array {
  const direction = Float64Array.from({ length: dim }, () => random.float() - 0.5);
  const vectors = new Float32Array(base.buffer, 0, rows * dim);
  const along = Float64Array.from({ length: rows }, (_, row) =>
    direction.reduce((sum, part, d) => sum + part * vectors[row * dim + d]!, 0),
  );
  const least = along.toSorted().at(-Math.floor(rows / 2 ** halvings))!;
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (let row = 0; row < rows; row++) if (along[row]! >= least) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

function drawnBits(rows: number, halvings: number, random: Random): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8)).fill(0xff);
  for (let at = 0; at < bits.length; at++) for (let i = 0; i < halvings; i++) bits[at]! &= random.uint32();
  return bits;
}

async function exactly(
  data: DataSet,
  piece: IndexedPiece,
  field: FieldSchema,
  allowed: Uint8Array | null,
): Promise<{ readonly truth: readonly ReadonlySet<number>[]; readonly us: number }> {
  const runs = piece.runs.map((run) => ({ ...run, chunk: run.chunk! }));
  const { blocks, dim } = vectorsOf({ runs, field, rows: piece.rows });
  const before = process.cpuUsage();
  const found = await kernel.exactSearch({
    dataType: DataType.FloatVector,
    metric: data.shape.metric,
    dim,
    queries: queriesOf(data, CALIBRATION_QUERIES, HELD_OUT_QUERIES),
    queryOffsets: null,
    queryCount: HELD_OUT_QUERIES,
    k: HITS,
    blocks: blocks.map(({ bytes, rows }, at) => ({
      bytes,
      offsets: null,
      rows,
      // Chunks are whole bytes of rows long here.
      allowed: allowed?.subarray(runs[at]!.firstRow >> 3) ?? null,
      inverseNorms: null,
      keys: { type: 'int64', values: new BigInt64Array(rows) },
    })),
    radius: null,
    rangeFilter: null,
  });
  const { user, system } = process.cpuUsage(before);
  const truth = Array.from(found.counts, (count, query) => {
    const places = Array.from({ length: count }, (_, hit) => query * HITS + hit);
    return new Set(places.map((at) => runs[found.blocks[at]!]!.firstRow + found.rows[at]!));
  });
  return { truth, us: user + system };
}

function walked(
  data: DataSet,
  index: VectorIndex,
  { ef, allowed, truth }: { ef: number; allowed: Uint8Array | null; truth: readonly ReadonlySet<number>[] },
): Outcome {
  const search = (query: number): IndexSearch => ({
    queries: queriesOf(data, CALIBRATION_QUERIES + query, 1),
    queryCount: 1,
    k: hitsAtFirst(ef, HITS, index),
    ef,
    refineK: 1,
    allowed,
    radius: null,
    rangeFilter: null,
  });
  let right = 0;
  let wanted = 0;
  const searchAll = () => truth.map((_, query) => index.searchSync(search(query)));
  const answers = searchAll();
  for (const [query, { rows, counts }] of answers.entries()) {
    wanted += truth[query]!.size;
    for (const row of rows.subarray(0, Math.min(HITS, counts[0]!))) if (truth[query]!.has(row)) right += 1;
  }
  let us: number | null = null;
  return { recall: right / wanted, us: () => (us ??= timeOf(searchAll)) };
}

/** Processor time of this thread, microseconds: it is counted in ticks of some milliseconds, so work is repeated. */
function timeOf(work: () => unknown): number {
  let rounds = 0;
  const before = process.threadCpuUsage();
  for (;;) {
    work();
    rounds += 1;
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= TIMED_US) return (user + system) / rounds;
  }
}

/** The least effort that reaches the target with the very queries that are asked; else comparing with every row. */
function bestFixed(trial: Trial, target: number): { readonly ef: number | 'exact'; readonly us: number } {
  for (let ef = HITS; ef <= EF_MAX; ef = Math.ceil(ef * EF_STEP)) {
    const { recall, us } = trial.at(ef);
    if (recall >= target) return { ef, us: us() };
  }
  return { ef: 'exact', us: trial.exact.us() };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
