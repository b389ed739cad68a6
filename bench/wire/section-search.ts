import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LeanConnection } from './lean-connection.ts';
import { type Line, latencies, quantile, rateDuring, warmUp } from './measure.ts';
import type { Request } from './messages.ts';
import { MilvusSubject } from './milvus-subject.ts';
import type { Peer } from './peers.ts';
import { PgvectorSubject } from './pgvector-subject.ts';
import { LIMIT, type SearchSubject } from './search-subject.ts';
import type { Table } from './table.ts';
import { clusteredVectors, nearest, randomNumbers } from './vectors.ts';

const SHAPES = [
  { dim: 128, rows: 200_000 },
  { dim: 768, rows: 50_000 },
] as const;
const SEED = 9;
/** So many that recalls of 0.99 are known to a thousandth or two, and with them the effort that is measured. */
const QUERIES = 1_000;
/** Close together where recall is what is asked for, so that no server is measured at much more of it. */
const EFS = [...[10, 14, 20, 28, 34], ...range(40, 160, 4), ...range(168, 256, 8), ...[320, 448, 640]];
const RECALLS = [0.95, 0.99];
const CONNECTIONS = [1, 4, 16];
/** Each server is asked for so long before anything is measured, and for a tenth of it before each other kind of request. */
const WARM_UP_MS = 12_000;
/** Each rate is of so long: of as many queries a fast server would be asked for less than a second. */
const MEASURED_MS = 3_000;
/** Sent in a row, so that connections seldom wait for each other. */
const QUERIES_IN_A_ROW = 1_000;
const TIMED_QUERIES = 5_000;
/** The last effort that is tried is the first that reaches it. */
const ENOUGH = 0.995;
const LATENCY_EF = 64;
const BATCH_QUERIES = 100;
/** Of a thousand rows so many have a number below. */
const ALLOWED_PER_MILLE = [500, 100, 10, 1];
const SHORT_ANSWER_BYTES = 80;

/** What is searched, and what is true of it. */
interface Data {
  readonly label: string;
  readonly dim: number;
  readonly vectors: Float32Array;
  readonly numbers: Int32Array;
  readonly queries: readonly Float32Array[];
}

/** Searches of one subject, through connections that are open. */
interface Run {
  readonly peer: Peer;
  readonly table: Table;
  readonly data: Data;
  readonly subject: SearchSubject;
  readonly lines: readonly Line[];
}

/**
 * HNSW with the same parameters: queries a second at equal recall, on one connection and on several, latency, many queries
 * in one request, filters; and how far the client itself could go.
 */
export async function measureSearch(
  peer: Peer,
  table: Table,
  scale: number,
  onlyDim?: string,
): Promise<void> {
  // A few queries a second would be hours.
  if (peer.name.startsWith('milvus-lite')) return;
  for (const { dim, rows } of SHAPES) {
    if (onlyDim !== undefined && onlyDim !== String(dim)) continue;
    const data = dataOf(dim, Math.ceil(rows * scale));
    const subject: SearchSubject =
      peer.speaks === 'postgres' ? new PgvectorSubject(peer, dim) : new MilvusSubject(peer, dim);
    const lines = await Promise.all(Array.from({ length: CONNECTIONS.at(-1)! }, () => subject.open()));
    try {
      const run: Run = { peer, table, data, subject, lines };
      await subject.fill(lines[0]!, data);
      const points = await pointsOf(run);
      for (const point of points) await measureAtRecall(run, point);
      await measureLatency(run);
      if (subject.takesBatches) await measureBatches(run, points);
      await measureFiltered(run);
      if (peer.name === 'Elanus') await measureCeiling(run);
      await subject.drop(lines[0]!);
    } finally {
      for (const line of lines) line.close();
    }
  }
}

function dataOf(dim: number, rows: number): Data {
  const all = clusteredVectors(rows + QUERIES, dim, SEED);
  const queries = Array.from({ length: QUERIES }, (_, at) =>
    all.subarray((rows + at) * dim, (rows + at + 1) * dim),
  );
  const vectors = all.subarray(0, rows * dim);
  return { label: `search ${rows} x ${dim}`, dim, vectors, numbers: randomNumbers(rows, SEED), queries };
}

/** By data set and filter: the same for all servers, and worked out once. */
const truths = new Map<string, readonly ReadonlySet<number>[]>();

/** Of each query the nearest rows whose number is less than `below`; `null`: of all. */
function truthOf(
  { label, dim, vectors, numbers, queries }: Data,
  below: number | null,
): readonly ReadonlySet<number>[] {
  const name = `${label}/${below}`;
  const known = truths.get(name);
  if (known !== undefined) return known;
  const isAllowed = (row: number) => below === null || numbers[row]! < below;
  const truth = queries.map((query) => new Set(nearest(vectors, query, dim, LIMIT, isAllowed)));
  truths.set(name, truth);
  return truth;
}

/** The least effort that reaches a recall. */
interface Point {
  readonly wanted: number;
  readonly ef: number;
  readonly recall: number;
}

async function pointsOf(run: Run): Promise<readonly Point[]> {
  const { data, subject, lines } = run;
  const truth = truthOf(data, null);
  await subject.useEf(lines, LATENCY_EF);
  await warmUp(lines, requestsOf(run, LATENCY_EF), WARM_UP_MS, expecting(run));
  const tried: Omit<Point, 'wanted'>[] = [];
  for (const ef of EFS) {
    await subject.useEf(lines, ef);
    tried.push({ ef, recall: await recallOf(run, requestsOf(run, ef), truth) });
    if (tried.at(-1)!.recall >= ENOUGH) break;
  }
  return RECALLS.flatMap((wanted) => {
    const point = tried.find(({ recall }) => recall >= wanted);
    return point === undefined ? [] : [{ wanted, ...point }];
  });
}

async function measureAtRecall(run: Run, { wanted, ef, recall }: Point): Promise<void> {
  const { peer, table, data, subject, lines } = run;
  await subject.useEf(lines, ef);
  for (const count of CONNECTIONS) {
    const { perSecond, clientUs } = await speedOf(lines.slice(0, count), requestsOf(run, ef), expecting(run));
    table.add(peer, {
      measurement: `${data.label} at recall ${wanted}, ${count} connections`,
      value: perSecond,
      unit: 'queries/s',
      better: 'more',
      note: `ef ${ef}, recall ${recall.toFixed(3)}, client ${clientUs} µs a query`,
    });
  }
}

async function measureLatency(run: Run): Promise<void> {
  const { peer, table, data, subject, lines } = run;
  await subject.useEf(lines.slice(0, 1), LATENCY_EF);
  const requests = times(requestsOf(run, LATENCY_EF), TIMED_QUERIES);
  const taken = await latencies(lines[0]!, requests, expecting(run));
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const)
    table.add(peer, {
      measurement: `${data.label}, ef ${LATENCY_EF}, ${name}`,
      value: quantile(taken, share),
      unit: 'ms',
      better: 'less',
    });
}

/** Many queries in one request: with the same effort for all servers, and at the same recall. */
async function measureBatches(
  { peer, table, data, subject, lines }: Run,
  points: readonly Point[],
): Promise<void> {
  const batch = new Float32Array(BATCH_QUERIES * data.dim);
  for (let at = 0; at < BATCH_QUERIES; at += 1) batch.set(data.queries[at]!, at * data.dim);
  const expected = (answer: Buffer) => {
    if (answer.length < BATCH_QUERIES * LIMIT) throw new Error('an answer is too short');
  };
  const sameEffort = { name: `, ef ${LATENCY_EF}`, ef: LATENCY_EF };
  const sameRecall = points.map(({ wanted, ef }) => ({ name: ` at recall ${wanted}`, ef }));
  for (const { name, ef } of [sameEffort, ...sameRecall]) {
    const request = subject.requestOf(batch, ef, null);
    await warmUp(lines.slice(0, 1), [request], WARM_UP_MS / 10, expected);
    const perSecond = await rateDuring(lines.slice(0, 1), [request], MEASURED_MS, expected);
    table.add(peer, {
      measurement: `${data.label}${name}, ${BATCH_QUERIES} queries a request`,
      value: BATCH_QUERIES * perSecond,
      unit: 'vectors/s',
      better: 'more',
      note: `ef ${ef}`,
    });
  }
}

async function measureFiltered(run: Run): Promise<void> {
  const { peer, table, data, subject, lines } = run;
  await subject.useEf(lines, LATENCY_EF);
  for (const below of ALLOWED_PER_MILLE) {
    const truth = truthOf(data, below);
    const requests = requestsOf(run, LATENCY_EF, below);
    const recall = await recallOf(run, requests, truth);
    await warmUp(lines.slice(0, 4), requests, WARM_UP_MS / 10, expecting(run));
    for (const count of [1, 4]) {
      const { perSecond } = await speedOf(lines.slice(0, count), requests, expecting(run));
      table.add(peer, {
        measurement: `${data.label}, ${below / 10} % allowed, ef ${LATENCY_EF}, ${count} connections`,
        value: perSecond,
        unit: 'queries/s',
        better: 'more',
        note: `recall ${recall.toFixed(3)}`,
      });
    }
  }
}

/** The same requests to a server that does nothing but answer. */
async function measureCeiling(run: Run): Promise<void> {
  const { table, data, lines } = run;
  const requests = requestsOf(run, LATENCY_EF);
  const { path, frame } = requests[0]!;
  const { length } = await lines[0]!.call(path, frame);
  const script = join(import.meta.dirname, 'echo-server.ts');
  const child = spawn(process.execPath, [script, String(length)], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const open = () => LeanConnection.connect('127.0.0.1', Number(printed));
    const echoes = await Promise.all(lines.map(open));
    await warmUp(echoes, requests, WARM_UP_MS / 10, () => {});
    for (const count of CONNECTIONS) {
      const { perSecond, clientUs } = await speedOf(echoes.slice(0, count), requests, () => {});
      table.add(
        { name: 'echo' },
        {
          measurement: `${data.label}, an echo of as many bytes, ${count} connections`,
          value: perSecond,
          unit: 'queries/s',
          better: 'more',
          note: `client ${clientUs} µs a query`,
        },
      );
    }
    for (const echo of echoes) echo.close();
  } finally {
    child.stdin.end();
  }
}

/** Queries a second, and what each costs the client's processor. */
async function speedOf(
  lines: readonly Line[],
  requests: readonly Request[],
  check: (answer: Buffer) => void,
): Promise<{ readonly perSecond: number; readonly clientUs: number }> {
  let answers = 0;
  const before = process.cpuUsage();
  const perSecond = await rateDuring(lines, times(requests, QUERIES_IN_A_ROW), MEASURED_MS, (answer) => {
    check(answer);
    answers += 1;
  });
  const { user, system } = process.cpuUsage(before);
  return { perSecond, clientUs: Math.round((user + system) / answers) };
}

async function recallOf(
  { subject, lines }: Run,
  requests: readonly Request[],
  truth: readonly ReadonlySet<number>[],
): Promise<number> {
  let found = 0;
  let wanted = 0;
  for (const [at, { path, frame }] of requests.entries()) {
    const ids = subject.idsOf(await lines[0]!.call(path, frame));
    found += ids.filter((id) => truth[at]!.has(id)).length;
    wanted += truth[at]!.size;
  }
  return found / wanted;
}

function requestsOf({ data, subject }: Run, ef: number, below: number | null = null): readonly Request[] {
  return data.queries.map((query) => subject.requestOf(query, ef, below));
}

function range(from: number, to: number, step: number): readonly number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);
}

function times(requests: readonly Request[], count: number): Request[] {
  return Array.from({ length: count }, (_, at) => requests[at % requests.length]!);
}

/** Hits are much longer than any failure's status: only a short answer is looked at. */
function expecting({ subject }: Run): (answer: Buffer) => void {
  return (answer) => {
    if (answer.length < SHORT_ANSWER_BYTES) subject.idsOf(answer);
  };
}
