/** Recall beside queries a second: every library, one thread and two. */
import type { DataSet } from './data-set.ts';
import { HNSWLIB, SYMPHONYQG } from './libraries.ts';
import { jsonLine, printTable, thousands, times } from './report.ts';
import type { Way } from './subject.ts';
import {
  type Contestant,
  median,
  medianSpeedAt,
  type Point,
  RECALLS,
  type Sweep,
  speedRatioAt,
  sweep,
} from './sweep.ts';

/** All queries in one call: what a library is asked through Python without paying for Python at every query. */
const BATCH: Way = { calls: 'batch', threads: 1 };
const BATCH_ON_TWO: Way = { calls: 'batch', threads: 2 };
/** One query a call from Node: what a program that embeds us pays. */
const SINGLE: Way = { calls: 'single', threads: 1 };

const BARS = [0.95, 0.99] as const;

export async function measureSpeed(
  contestants: readonly Contestant[],
  data: DataSet,
  rounds: number,
): Promise<void> {
  const ways = ({ subject }: Contestant) =>
    subject.library.ours ? [BATCH, SINGLE, BATCH_ON_TWO] : [BATCH, BATCH_ON_TWO];
  const sweeps = await sweep(contestants, data, ways, rounds);
  for (const one of sweeps) jsonLine({ section: 'speed', data: data.name, ...summaryOf(one) });
  const inWay = (way: Way) => sweeps.filter(({ way: its }) => its === way);
  printSpeeds(`${data.name}: queries/s in a batch, one thread, median of ${rounds}`, inWay(BATCH));
  printSpeeds(`${data.name}: queries/s in a batch, two threads`, inWay(BATCH_ON_TWO));
  if (inWay(SINGLE).length > 0) printOurWays(data, sweeps);
  printPoints(data, inWay(BATCH));
}

function printSpeeds(title: string, sweeps: readonly Sweep[]): void {
  const rivals = sweeps.filter(({ library }) => library === HNSWLIB || library === SYMPHONYQG);
  const head = [
    'library',
    ...RECALLS.map((recall) => `at ${recall}`),
    ...rivals.flatMap(({ library }) => BARS.map((recall) => `× ${library} at ${recall}`)),
  ];
  const rows = sweeps.map((one) => [
    one.library,
    ...RECALLS.map((recall) => thousands(medianSpeedAt(one, recall))),
    ...rivals.flatMap((rival) => BARS.map((recall) => times(speedRatioAt(one, rival, recall)))),
  ]);
  printTable(title, head, rows);
}

/** A batch against single queries, two threads against one: ours alone. */
function printOurWays(data: DataSet, sweeps: readonly Sweep[]): void {
  const batches = sweeps.filter(
    ({ library, way }) => way === BATCH && sweeps.some((it) => it.library === library && it.way === SINGLE),
  );
  const rows = batches.flatMap((batch) => {
    const [single, onTwo] = [SINGLE, BATCH_ON_TWO].map(
      (way) => sweeps.find((it) => it.library === batch.library && it.way === way)!,
    );
    return BARS.map((recall) => [
      batch.library,
      String(recall),
      thousands(medianSpeedAt(single!, recall)),
      thousands(medianSpeedAt(batch, recall)),
      times(speedRatioAt(batch, single!, recall)),
      thousands(medianSpeedAt(onTwo!, recall)),
      times(speedRatioAt(onTwo!, batch, recall)),
    ]);
  });
  const head = [
    'layout',
    'recall',
    'one query a call',
    'batch',
    '× one a call',
    'two threads',
    '× one thread',
  ];
  printTable(`${data.name}: the ways of calling Elanus, queries/s`, head, rows);
}

function summaryOf(one: Sweep): Readonly<Record<string, unknown>> {
  const speeds = RECALLS.map((recall) => [recall, Math.round(medianSpeedAt(one, recall) ?? 0) || null]);
  return { library: one.library, ...one.way, at: Object.fromEntries(speeds), points: medianPoints(one) };
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
      ({ knob, recall, queriesPerSecond }) => `${knob}: ${recall.toFixed(4)} ${thousands(queriesPerSecond)}`,
    );
    return [one.library, cells.join(', ')];
  });
  printTable(
    `${data.name}: recall@10 and queries/s along the knob`,
    ['library', 'knob: recall, speed'],
    rows,
  );
}
