/** Filtered searches at one recall: eight bitmaps, ours beside hnswlib's graph and turbovec's scan. */
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { type FilterKind, filterCells } from './filter-cells.ts';
import { HNSWLIB, TURBOVEC } from './libraries.ts';
import { type Bar, beginTable, jsonLine, printBars, speed, times } from './report.ts';
import type { Way } from './subject.ts';
import { type Entry, median, medianSpeedAt, type Sweep, speedAt, sweep } from './sweep.ts';

const ONE_BY_ONE: Way = { calls: 'single', threads: 1 };
const RECALL = 0.95;
const SECONDS_PER_POINT = 0.1;
const MINUTES_PER_CELL_MAX = 1;
/** Times the better peer. */
const RATIO_MIN = 1.5;
/** Those that can filter. */
export const FILTER_RIVALS: readonly string[] = [HNSWLIB, TURBOVEC];
/** The others would be crowds of ties, which no filter of a user's looks like. */
const KINDS: readonly FilterKind[] = ['random', 'far'];

/** Measures those of `contestants` that can filter. */
export async function measureFiltered(
  contestants: readonly Contestant[],
  data: DataSet,
  rounds: number,
  python: string,
): Promise<void> {
  const able = contestants.filter(
    ({ subject: { library } }) => library.ours || FILTER_RIVALS.includes(library.name),
  );
  const names = able.map(({ subject }) => subject.library.name);
  const ours = able.filter(({ subject }) => subject.library.ours).map(({ subject }) => subject.library.name);
  const title = `${data.name}: queries/s under a filter at recall ${RECALL}`;
  const head = ['allowed', ...names, ...ours.map((name) => `${name} × the better peer`)];
  const printRow = beginTable(`${title} (knob, recall)`, head);
  const bars: Bar[] = [];
  for (const cell of filterCells(data, python).filter(({ kind }) => KINDS.includes(kind))) {
    const entries = able.map(
      (contestant): Entry => ({
        name: contestant.subject.library.name,
        contestant,
        data,
        kthScores: cell.kthScores,
        ways: [ONE_BY_ONE],
        ask: (knob, _, seconds, answers) => contestant.subject.filter(knob, cell, seconds, answers),
      }),
    );
    const race = {
      recalls: [RECALL, RECALL],
      rounds,
      minutesMax: MINUTES_PER_CELL_MAX,
      secondsPerPoint: SECONDS_PER_POINT,
    } as const;
    const sweeps = await sweep(entries, race);
    for (const one of sweeps)
      jsonLine({
        section: 'filtered',
        cell: cell.name,
        library: one.name,
        at: medianSpeedAt(one, RECALL),
      });
    const ratios = sweeps
      .filter(({ name }) => ours.includes(name))
      .map((one) => ({ name: one.name, ratio: ratioToBetterPeer(one, sweeps) }));
    for (const { name, ratio } of ratios)
      bars.push({ name: `${name}, ${cell.name} %`, reached: ratio, bound: RATIO_MIN });
    printRow([`${cell.name} %`, ...sweeps.map(describe), ...ratios.map(({ ratio }) => times(ratio))]);
  }
  printBars(`${title}, × the better peer`, bars);
}

/** The speed, and the first knob that reaches the recall. */
function describe(one: Sweep): string {
  const reached = one.rounds[0]!.find(({ recall }) => recall >= RECALL) ?? one.rounds[0]!.at(-1)!;
  return `${speed(medianSpeedAt(one, RECALL))} (${reached.knob}, ${reached.recall.toFixed(3)})`;
}

function ratioToBetterPeer(one: Sweep, sweeps: readonly Sweep[]): number | null {
  const rivals = sweeps.filter(({ name }) => FILTER_RIVALS.includes(name));
  return median(
    one.rounds.map((points, round) => {
      const best = Math.max(0, ...rivals.map(({ rounds }) => speedAt(rounds[round]!, RECALL) ?? 0));
      const ours = speedAt(points, RECALL);
      return ours === null || best === 0 ? null : ours / best;
    }),
  );
}
