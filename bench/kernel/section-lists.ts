/** Indexes of lists: ours beside the same index of others, on one thread, all with the same number of lists. */
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { jsonLine, printTable, speed, times } from './report.ts';
import type { Way } from './subject.ts';
import { medianPoints, medianSpeedAt, searchEntry, speedRatioAt, sweep } from './sweep.ts';

const BATCH: Way = { calls: 'batch', threads: 1 };
const RECALLS = [0.9, 0.95, 0.99] as const;
const SECONDS_PER_POINT = 0.15;

/** Prints recall beside speed; the first of the family is ours. */
export async function measureFamily(
  family: readonly Contestant[],
  data: DataSet,
  rounds: number,
): Promise<void> {
  const entries = family.map((contestant) =>
    searchEntry(contestant.subject.library.name, contestant, data, [BATCH]),
  );
  const recalls = [RECALLS[0], RECALLS.at(-1)!] as const;
  const sweeps = await sweep(entries, { recalls, rounds, secondsPerPoint: SECONDS_PER_POINT });
  const [ours] = sweeps;
  if (ours === undefined) return;
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
}
