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
const EFS = [
  ...[10, 14, 18, 22],
  ...range(26, 80, 2),
  ...range(84, 160, 4),
  ...range(168, 256, 8),
  ...[320, 448, 640],
];
const RECALLS = [0.95, 0.99];
const CONNECTIONS = [1, 4, 16];
const FILTER_CONNECTIONS = [1, 4];
/** Each server is asked for so long before anything is measured, and for a tenth of it before each other kind of request. */
const WARM_UP_MS = 12_000;
/** Of each figure the median of so many turns, as long for all. */
const ROUNDS = 5;
const TURN_MS = 1_500;
/** Of each turn, unmeasured: a server that others have let idle answers its first queries slowly. */
const TURN_WARM_UP_MS = 300;
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

/** Searches of one server, through connections that are open. */
interface Run {
  readonly peer: Peer;
  readonly data: Data;
  readonly subject: SearchSubject;
  readonly lines: readonly Line[];
  /** As soon as they are known. */
  points: readonly WantedPoint[];
}

/** What a server finds with an effort. */
interface Point {
  readonly ef: number;
  readonly recall: number;
}

/** The least effort that reaches a recall. */
interface WantedPoint extends Point {
  readonly wanted: number;
}

/**
 * HNSW with the same parameters: queries a second at equal recall, on one connection and on several, latency, many queries
 * in one request, filters; and how far the client itself could go. The servers run side by side and take turns, because
 * the machine's speed wanders from one minute to the next.
 */
export async function measureSearch(
  peers: readonly Peer[],
  table: Table,
  scale: number,
  onlyDim?: string,
): Promise<void> {
  // A few queries a second would be hours.
  const rivals = peers.filter(({ name }) => !name.startsWith('milvus-lite'));
  if (rivals.length === 0) return;
  for (const { dim, rows } of SHAPES) {
    if (onlyDim !== undefined && onlyDim !== String(dim)) continue;
    const data = dataOf(dim, Math.ceil(rows * scale));
    const runs: Run[] = [];
    try {
      for (const peer of rivals) {
        const run = await connectedRun(peer, data);
        runs.push(run);
        await run.subject.fill(run.lines[0]!, data);
        run.points = await pointsOf(run);
      }
      for (const wanted of RECALLS) await measureAtRecall(runs, table, wanted);
      await measureLatency(runs, table);
      await measureBatches(runs, table);
      for (const below of ALLOWED_PER_MILLE) await measureFiltered(runs, table, below);
      const ours = runs.find(({ peer }) => peer.name === 'Elanus');
      if (ours !== undefined) await measureCeiling(ours, table);
      for (const { subject, lines } of runs) await subject.drop(lines[0]!);
    } finally {
      for (const { lines } of runs) for (const line of lines) line.close();
    }
  }
}

async function connectedRun(peer: Peer, data: Data): Promise<Run> {
  const subject: SearchSubject =
    peer.speaks === 'postgres' ? new PgvectorSubject(peer, data.dim) : new MilvusSubject(peer, data.dim);
  const lines = await Promise.all(Array.from({ length: CONNECTIONS.at(-1)! }, () => subject.open()));
  return { peer, data, subject, lines, points: [] };
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

async function pointsOf(run: Run): Promise<readonly WantedPoint[]> {
  const { subject, lines } = run;
  await subject.useEf(lines, LATENCY_EF);
  await warmUp(lines, requestsOf(run, LATENCY_EF), WARM_UP_MS, expecting(run));
  const tried: Point[] = [];
  for (const ef of EFS) {
    tried.push(await pointAt(run, ef, null));
    if (tried.at(-1)!.recall >= ENOUGH) break;
  }
  return RECALLS.flatMap((wanted) => {
    const point = tried.find(({ recall }) => recall >= wanted);
    return point === undefined ? [] : [{ wanted, ...point }];
  });
}

/** What one server is asked for again and again. */
interface Questions {
  readonly run: Pick<Run, 'lines'> & { readonly peer: { readonly name: string } };
  readonly requests: readonly Request[];
  readonly queriesPerRequest: number;
  readonly check: (answer: Buffer) => void;
  readonly note: string;
}

/** Of the rows whose number is less than `below`; `null`: of all. */
async function pointAt(run: Run, ef: number, below: number | null): Promise<Point> {
  await run.subject.useEf(run.lines, ef);
  return { ef, recall: await recallOf(run, requestsOf(run, ef, below), truthOf(run.data, below)) };
}

async function measureAtRecall(runs: readonly Run[], table: Table, wanted: number): Promise<void> {
  const points = new Map<Run, Point>();
  for (const run of runs) {
    const point = run.points.find((other) => other.wanted === wanted);
    if (point !== undefined) points.set(run, point);
  }
  await measurePoints(points, table, null, CONNECTIONS, `${runs[0]!.data.label} at recall ${wanted}`);
}

/** Each server with an effort of its own, on several numbers of connections. */
async function measurePoints(
  points: ReadonlyMap<Run, Point>,
  table: Table,
  below: number | null,
  connections: readonly number[],
  name: string,
): Promise<void> {
  const questions: Questions[] = [];
  for (const [run, { ef, recall }] of points) {
    await run.subject.useEf(run.lines, ef);
    questions.push(oneByOne(run, requestsOf(run, ef, below), `ef ${ef}, recall ${recall.toFixed(3)}, `));
  }
  for (const count of connections)
    await measureRates(table, questions, count, `${name}, ${count} connections`);
}

async function measureLatency(runs: readonly Run[], table: Table): Promise<void> {
  const taken = new Map<Run, number[]>(runs.map((run) => [run, []]));
  for (const { subject, lines } of runs) await subject.useEf(lines.slice(0, 1), LATENCY_EF);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [run, all] of taken) {
      const requests = requestsOf(run, LATENCY_EF);
      await warmUp(run.lines.slice(0, 1), requests, TURN_WARM_UP_MS, expecting(run));
      all.push(...(await latencies(run.lines[0]!, requests, expecting(run))));
    }
  }
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const)
    for (const [{ peer, data }, all] of taken)
      table.add(peer, {
        measurement: `${data.label}, ef ${LATENCY_EF}, ${name}`,
        value: quantile(all, share),
        unit: 'ms',
        better: 'less',
      });
}

/** Many queries in one request: with the same effort for all servers, and at the same recall. */
async function measureBatches(runs: readonly Run[], table: Table): Promise<void> {
  const batched = runs.filter(({ subject }) => subject.takesBatches);
  if (batched.length === 0) return;
  const { data } = batched[0]!;
  const batch = new Float32Array(BATCH_QUERIES * data.dim);
  for (let at = 0; at < BATCH_QUERIES; at += 1) batch.set(data.queries[at]!, at * data.dim);
  const check = (answer: Buffer) => {
    if (answer.length < BATCH_QUERIES * LIMIT) throw new Error('an answer is too short');
  };
  const sameRecall = RECALLS.map((wanted) => ({
    name: ` at recall ${wanted}`,
    efOf: (run: Run) => run.points.find((point) => point.wanted === wanted)?.ef,
  }));
  for (const { name, efOf } of [{ name: `, ef ${LATENCY_EF}`, efOf: () => LATENCY_EF }, ...sameRecall]) {
    const questions = batched.flatMap((run): Questions[] => {
      const ef = efOf(run);
      if (ef === undefined) return [];
      const requests = [run.subject.requestOf(batch, ef, null)];
      return [{ run, requests, queriesPerRequest: BATCH_QUERIES, check, note: `ef ${ef}, ` }];
    });
    await measureRates(table, questions, 1, `${data.label}${name}, ${BATCH_QUERIES} queries a request`);
  }
}

/** With the same effort for all servers; and with as much as each needs to find what all of them find with that. */
async function measureFiltered(runs: readonly Run[], table: Table, below: number): Promise<void> {
  const label = `${runs[0]!.data.label}, ${below / 10} % allowed`;
  const alike = new Map<Run, Point>();
  for (const run of runs) alike.set(run, await pointAt(run, LATENCY_EF, below));
  await measurePoints(alike, table, below, FILTER_CONNECTIONS, `${label}, ef ${LATENCY_EF}`);
  const wanted = Math.min(...[...alike.values()].map(({ recall }) => recall));
  const least = new Map<Run, Point>();
  for (const [run, point] of alike) least.set(run, await leastPoint(run, point, wanted, below));
  await measurePoints(least, table, below, FILTER_CONNECTIONS, `${label} at recall ${wanted.toFixed(3)}`);
}

/** The least effort with which a server finds as much as is wanted; that of `enough` does. */
async function leastPoint(run: Run, enough: Point, wanted: number, below: number): Promise<Point> {
  for (const ef of EFS) {
    if (ef >= enough.ef) break;
    const point = await pointAt(run, ef, below);
    if (point.recall >= wanted) return point;
  }
  return enough;
}

function oneByOne(run: Run, requests: readonly Request[], note: string): Questions {
  return { run, requests, queriesPerRequest: 1, check: expecting(run), note };
}

/** Adds how many queries a second each server has answered, in the middle one of its turns. */
async function measureRates(
  table: Table,
  questions: readonly Questions[],
  connections: number,
  measurement: string,
): Promise<void> {
  const turns = new Map<Questions, Speed[]>(questions.map((asked) => [asked, []]));
  for (const { run, requests, check } of questions)
    await warmUp(run.lines.slice(0, connections), requests, WARM_UP_MS / 10, check);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [asked, speeds] of turns) speeds.push(await speedOf(asked, connections));
  for (const [{ run, queriesPerRequest, note }, speeds] of turns) {
    const middle = speeds.toSorted((a, b) => a.perSecond - b.perSecond)[speeds.length >> 1]!;
    table.add(run.peer, {
      measurement,
      value: queriesPerRequest * middle.perSecond,
      unit: queriesPerRequest === 1 ? 'queries/s' : 'vectors/s',
      better: 'more',
      note: `${note}client ${Math.round(middle.clientUs / queriesPerRequest)} µs a query`,
    });
  }
}

/** The same requests to a server that does nothing but answer. */
async function measureCeiling(run: Run, table: Table): Promise<void> {
  const { data, lines } = run;
  const requests = requestsOf(run, LATENCY_EF);
  const { path, frame } = requests[0]!;
  const { length } = await lines[0]!.call(path, frame);
  const script = join(import.meta.dirname, 'echo-server.ts');
  const child = spawn(process.execPath, [script, String(length)], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const open = () => LeanConnection.connect('127.0.0.1', Number(printed));
    const echoes = await Promise.all(lines.map(open));
    const peer = { name: 'echo' };
    const asked = {
      run: { peer, lines: echoes },
      requests,
      queriesPerRequest: 1,
    };
    for (const count of CONNECTIONS) {
      const measurement = `${data.label}, an echo of as many bytes, ${count} connections`;
      await measureRates(table, [{ ...asked, check: () => {}, note: '' }], count, measurement);
    }
    for (const echo of echoes) echo.close();
  } finally {
    child.stdin.end();
  }
}

interface Speed {
  /** Requests. */
  readonly perSecond: number;
  /** What each costs this client, in microseconds of its processor. */
  readonly clientUs: number;
}

/** Of one turn. */
async function speedOf({ run, requests, check }: Questions, connections: number): Promise<Speed> {
  const lines = run.lines.slice(0, connections);
  await warmUp(lines, requests, TURN_WARM_UP_MS, check);
  let answers = 0;
  const before = process.cpuUsage();
  const perSecond = await rateDuring(lines, requests, TURN_MS, (answer) => {
    check(answer);
    answers += 1;
  });
  const { user, system } = process.cpuUsage(before);
  return { perSecond, clientUs: (user + system) / answers };
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

/** Hits are much longer than any failure's status: only a short answer is looked at. */
function expecting({ subject }: Run): (answer: Buffer) => void {
  return (answer) => {
    if (answer.length < SHORT_ANSWER_BYTES) subject.idsOf(answer);
  };
}
