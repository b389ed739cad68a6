/** Indexes of lists: ours beside the same index of others, on one thread, all with the same number of lists. */
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import type { Family } from './libraries.ts';
import { type Bar, jsonLine, printTable, speed, times } from './report.ts';
import type { Way } from './subject.ts';
import { medianPoints, medianSpeedAt, type Sweep, searchEntry, speedRatioAt, sweep } from './sweep.ts';

const BATCH: Way = { calls: 'batch', threads: 1 };
const RECALLS = [0.9, 0.95, 0.99] as const;
const SECONDS_PER_POINT = 0.15;
/** How many times as fast as faiss', by processor time, an index is to be built. */
const BUILD_SPEED_MIN = 1.5;

/** Prints recall beside speed, and returns what has to hold; the first of the contestants is ours. */
export async function measureFamily(
  contestants: readonly Contestant[],
  family: Family,
  data: DataSet,
  rounds: number,
): Promise<Bar[]> {
  const entries = contestants.map((contestant) =>
    searchEntry(contestant.subject.library.name, contestant, data, [BATCH]),
  );
  const recalls = [RECALLS[0], RECALLS.at(-1)!] as const;
  const sweeps = await sweep(entries, { recalls, rounds, secondsPerPoint: SECONDS_PER_POINT });
  const [ours] = sweeps;
  if (ours === undefined) return [];
  for (const one of sweeps)
    jsonLine({
      section: 'lists',
      data: data.name,
      library: one.name,
      points: medianPoints(one),
      at: Object.fromEntries(RECALLS.map((recall) => [recall, medianSpeedAt(one, recall)])),
    });
  const rows = sweeps.map((one) => [
    one.name,
    ...RECALLS.map((recall) => speed(medianSpeedAt(one, recall))),
    ...RECALLS.map((recall) => times(speedRatioAt(ours, one, recall))),
  ]);
  printTable(
    `${data.name}: queries/s of processor time in a batch, one thread, median of ${rounds}`,
    ['index', ...RECALLS.map((recall) => `at ${recall}`), ...RECALLS.map((recall) => `ours × at ${recall}`)],
    rows,
  );
  return [...speedBars(sweeps, family), ...buildBars(contestants)];
}

function speedBars([ours, ...others]: readonly Sweep[], { recalls, speedMin }: Family): Bar[] {
  const rivals = others.filter(({ name }) => !name.startsWith('elanus'));
  return rivals.flatMap((rival) =>
    recalls.map((recall) => ({
      name: `${ours!.name} × ${rival.name} at ${recall}`,
      reached: speedRatioAt(ours!, rival, recall),
      bound: speedMin,
    })),
  );
}

function buildBars([ours, ...others]: readonly Contestant[]): Bar[] {
  return others
    .filter(({ subject }) => subject.library.name.startsWith('faiss'))
    .map(({ subject, index }) => ({
      name: `${ours!.subject.library.name}: build × ${subject.library.name}, processor time`,
      reached: index.buildProcessorSeconds / ours!.index.buildProcessorSeconds,
      bound: BUILD_SPEED_MIN,
    }));
}
