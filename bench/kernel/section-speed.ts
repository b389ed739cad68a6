/** Recall beside queries a second: every library, one thread and two. */
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { HNSWLIB, OURS, SYMPHONYQG } from './libraries.ts';
import { type Bar, jsonLine, printBars, printTable, speed, times } from './report.ts';
import type { Way } from './subject.ts';
import {
  type Limits,
  median,
  medianSpeedAt,
  type Point,
  type Sweep,
  searchEntry,
  speedRatioAt,
  sweep,
} from './sweep.ts';
import { wayRatioAt } from './way-ratio.ts';

/** All queries in one call: what a library is asked through Python without paying for Python at every query. */
const BATCH: Way = { calls: 'batch', threads: 1 };
const BATCH_ON_TWO: Way = { calls: 'batch', threads: 2 };
const BATCH_ON_TWO_PROCESSORS: Way = { calls: 'batch', threads: 2, clock: 'processors' };
/** One query a call from Node: what a program that embeds us pays. */
const SINGLE: Way = { calls: 'single', threads: 1 };

const RECALLS = [0.9, 0.95, 0.99, 0.995] as const;
const BARS = [0.95, 0.99] as const;
/** How many times as fast as another library a layout has to be: the fast one in two data sets a little more. */
const RIVAL_BARS = [
  { ours: OURS.fast, rival: SYMPHONYQG, bound: 0.97 },
  { ours: OURS.compact, rival: HNSWLIB, bound: 2 },
] as const;
const BATCH_MIN = 1.1;
const TWO_THREADS_MIN = 1.9;
/** Some thousand queries. */
const SECONDS_PER_POINT = 0.15;

export async function measureSpeed(
  contestants: readonly Contestant[],
  data: DataSet,
  limits: Limits,
): Promise<void> {
  const entries = contestants.map((contestant) => {
    const { name, ours } = contestant.subject.library;
    const ways = ours ? [BATCH, SINGLE, BATCH_ON_TWO, BATCH_ON_TWO_PROCESSORS] : [BATCH, BATCH_ON_TWO];
    return searchEntry(name, contestant, data, ways);
  });
  const recalls = [RECALLS[0], RECALLS.at(-1)!] as const;
  const sweeps = await sweep(entries, { recalls, ...limits, secondsPerPoint: SECONDS_PER_POINT });
  for (const one of sweeps) jsonLine({ section: 'speed', data: data.name, ...summaryOf(one) });
  const inWay = (way: Way) => sweeps.filter(({ way: its }) => its === way);
  const rounds = sweeps[0]?.rounds.length ?? 0;
  printSpeeds(
    `${data.name}: queries/s of processor time in a batch, one thread, median of ${rounds}`,
    inWay(BATCH),
  );
  printSpeeds(`${data.name}: queries/s in a batch, two threads`, inWay(BATCH_ON_TWO), inWay(BATCH));
  if (inWay(SINGLE).length > 0) printOurWays(data, sweeps);
  printPoints(data, inWay(BATCH));
  printBars(`${data.name}, speed`, [...rivalBars(inWay(BATCH)), ...wayBars(sweeps)]);
}

/** Of the libraries that took part. */
function rivalBars(batches: readonly Sweep[]): Bar[] {
  const named = (wanted: string) => batches.find(({ name }) => name === wanted);
  return RIVAL_BARS.flatMap(({ ours, rival, bound }) => {
    const [left, right] = [named(ours), named(rival)];
    if (left === undefined || right === undefined) return [];
    return BARS.map((recall) => ({
      name: `${ours} × ${rival} at ${recall}`,
      reached: speedRatioAt(left, right, recall),
      bound,
    }));
  });
}

function wayBars(sweeps: readonly Sweep[]): Bar[] {
  return ourWays(sweeps).flatMap(({ batch, single, onTwo, onTwoProcessors }) =>
    BARS.flatMap((recall) => [
      {
        name: `${batch.name} at ${recall}: batch × one query a call`,
        reached: wayRatioAt(batch, single, recall),
        bound: BATCH_MIN,
      },
      {
        name: `${batch.name} at ${recall}: two threads × one, by the clock`,
        reached: wayRatioAt(onTwo, batch, recall),
        bound: TWO_THREADS_MIN,
      },
      {
        name: `${batch.name} at ${recall}: two threads × one, by processor time`,
        reached: wayRatioAt(onTwoProcessors, batch, recall),
        bound: TWO_THREADS_MIN,
      },
    ]),
  );
}

/** One of our layouts in all the ways that it was asked. */
interface OurWays {
  readonly batch: Sweep;
  readonly single: Sweep;
  readonly onTwo: Sweep;
  readonly onTwoProcessors: Sweep;
}

function ourWays(sweeps: readonly Sweep[]): OurWays[] {
  return sweeps
    .filter(({ way }) => way === SINGLE)
    .map((single) => {
      const inWay = (way: Way) => sweeps.find((it) => it.name === single.name && it.way === way)!;
      return {
        batch: inWay(BATCH),
        single,
        onTwo: inWay(BATCH_ON_TWO),
        onTwoProcessors: inWay(BATCH_ON_TWO_PROCESSORS),
      };
    });
}

/** `onOne`: the same libraries on one thread, which those of `sweeps` are compared with, too. */
function printSpeeds(title: string, sweeps: readonly Sweep[], onOne: readonly Sweep[] = []): void {
  const rivals = sweeps.filter(({ name }) => name === HNSWLIB || name === SYMPHONYQG);
  const head = [
    'library',
    ...RECALLS.map((recall) => `at ${recall}`),
    ...rivals.flatMap(({ name }) => BARS.map((recall) => `× ${name} at ${recall}`)),
    ...(onOne.length > 0 ? BARS.map((recall) => `× one thread at ${recall}`) : []),
  ];
  const rows = sweeps.map((one) => [
    one.name,
    ...RECALLS.map((recall) => speed(medianSpeedAt(one, recall))),
    ...rivals.flatMap((rival) => BARS.map((recall) => times(speedRatioAt(one, rival, recall)))),
    ...onOne
      .filter(({ name }) => name === one.name)
      .flatMap((alone) => BARS.map((recall) => times(wayRatioAt(one, alone, recall)))),
  ]);
  printTable(title, head, rows);
}

/** A batch against single queries, two threads against one: ours alone. */
function printOurWays(data: DataSet, sweeps: readonly Sweep[]): void {
  const rows = ourWays(sweeps).flatMap(({ batch, single, onTwo, onTwoProcessors }) =>
    BARS.map((recall) => [
      batch.name,
      String(recall),
      speed(medianSpeedAt(single, recall)),
      speed(medianSpeedAt(batch, recall)),
      times(wayRatioAt(batch, single, recall)),
      speed(medianSpeedAt(onTwo, recall)),
      times(wayRatioAt(onTwo, batch, recall)),
      times(wayRatioAt(onTwoProcessors, batch, recall)),
    ]),
  );
  const head = [
    'layout',
    'recall',
    'one query a call',
    'batch',
    '× one a call',
    'two threads',
    '× one thread',
    'by processor time',
  ];
  printTable(`${data.name}: the ways of calling Elanus, queries/s`, head, rows);
}

function summaryOf(one: Sweep): Readonly<Record<string, unknown>> {
  const speeds = RECALLS.map((recall) => [recall, Math.round(medianSpeedAt(one, recall) ?? 0) || null]);
  return { library: one.name, ...one.way, at: Object.fromEntries(speeds), points: medianPoints(one) };
}

/** Each measured knob with its recall and the median of its speeds. */
function medianPoints({ rounds }: Sweep): Point[] {
  return rounds[0]!.map((point, at) => ({
    ...point,
    queriesPerSecond: Math.round(median(rounds.map((points) => points[at]!.queriesPerSecond))!),
  }));
}

/** Every measured knob: recall and the median speed. */
function printPoints(data: DataSet, sweeps: readonly Sweep[]): void {
  const rows = sweeps.map((one) => {
    const cells = medianPoints(one).map(
      ({ knob, recall, queriesPerSecond }) => `${knob}: ${recall.toFixed(4)} ${speed(queriesPerSecond)}`,
    );
    return [one.name, cells.join(', ')];
  });
  printTable(
    `${data.name}: recall@10 and queries/s along the knob`,
    ['library', 'knob: recall, speed'],
    rows,
  );
}
