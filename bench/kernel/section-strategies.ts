/** Our filtered searches at default parameters: what they find, and their time beside that of fixed strategies. */
import type { SearchWay } from '@elanus/kernel';
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { filterCells, type NamedCell } from './filter-cells.ts';
import { kthScores, recallOf } from './recall.ts';
import { type Bar, beginTable, jsonLine, printBars, times } from './report.ts';
import type { Strategy, Way } from './subject.ts';
import { K, median } from './sweep.ts';

/** What AUTOINDEX searches with. */
const DEFAULT_EF = 64;
const FIXED_WAYS: readonly SearchWay[] = ['walk', 'short codes', 'long codes', 'vectors'];
const EFS: readonly number[] = [10, 14, 20, 28, 40, 64, 96, 160, 320, 640, 1280];
const SINGLE: Way = { calls: 'single', threads: 1 };
/** Below what is found without a filter by more than this, and the filter has cost too much. */
const RECALL_LOST_MAX = 0.01;
/** Two strategies that differ by less find as much. */
const RECALL_TOLERANCE = 0.001;
/** More than the time of the best fixed strategy so many times over, and the choice is a bad one. */
const RATIO_MAX = 2;
/**
 * Before all queries are asked in a fixed way some are, to learn what it costs: a walk among rows that are not allowed
 * takes a thousand times as long as what was chosen. What takes so many times as long cannot be the best.
 */
const PROBED = 10;
const HOPELESS = 3;
/** Processor time is counted in ticks of some milliseconds. */
const SECONDS_PER_PROBE = 0.04;
const SECONDS_PER_POINT = 0.1;

/** What a strategy finds. */
interface Tried extends Strategy {
  readonly recall: number;
}

/** A strategy, and its time for a query, round by round. */
interface Lane {
  readonly tried: Tried;
  readonly micros: number[];
}

/** What was chosen in a cell, beside the quickest fixed strategy that finds as much, if there is one. */
interface Compared {
  readonly cell: string;
  readonly chosen: Lane;
  readonly best: Lane | null;
  /** The median of the rounds' ratios. */
  readonly ratio: number | null;
}

/** Measures those of `contestants` that are ours, each under every bitmap; prints each cell when it is known. */
export async function measureStrategies(
  contestants: readonly Contestant[],
  data: DataSet,
  rounds: number,
  python: string,
): Promise<void> {
  const cells = filterCells(data, python);
  for (const contestant of contestants.filter(({ subject }) => subject.library.ours))
    await measureLayout(contestant, data, cells, rounds);
}

async function measureLayout(
  contestant: Contestant,
  data: DataSet,
  cells: readonly NamedCell[],
  rounds: number,
): Promise<void> {
  const library = contestant.subject.library.name;
  const unfiltered = await unfilteredRecall(contestant, data);
  const title = `${data.name}: ${library} under filters with ef ${DEFAULT_EF}`;
  const printRow = beginTable(
    `${title}, processor time, median of ${rounds}; recall ${unfiltered.toFixed(3)} without a filter`,
    ['allowed', 'recall', 'time', 'best fixed strategy', 'its recall', 'its time', '× best fixed'],
  );
  const all: Compared[] = [];
  for (const cell of cells) {
    const compared = await measureCell(contestant, data, cell, rounds);
    all.push(compared);
    jsonLine({ section: 'strategies', data: data.name, library, unfiltered, ...compared });
    printRow(rowOf(compared, unfiltered));
  }
  printBars(title, barsOf(all, unfiltered));
}

async function unfilteredRecall({ subject }: Contestant, data: DataSet): Promise<number> {
  const { rows } = await subject.search(DEFAULT_EF, SINGLE, 0, 'keep');
  return recallOf(data, rows!, K, kthScores(data, K));
}

async function measureCell(
  { subject }: Contestant,
  data: DataSet,
  cell: NamedCell,
  rounds: number,
): Promise<Compared> {
  const ask = async (strategy: Strategy): Promise<Tried & { readonly micros: number }> => {
    const { rows, queriesPerSecond } = await subject.filterBy(
      strategy,
      cell,
      cell.queries,
      SECONDS_PER_PROBE,
      'keep',
    );
    return {
      ...strategy,
      recall: recallOf(data, rows!, K, cell.kthScores),
      micros: 1e6 / queriesPerSecond,
    };
  };
  const probe = async (strategy: Strategy): Promise<number> => {
    const { queriesPerSecond } = await subject.filterBy(strategy, cell, PROBED, SECONDS_PER_PROBE, 'drop');
    return 1e6 / queriesPerSecond;
  };
  // What is read for the first time comes from the file, which takes longer.
  const isHopeless = async (strategy: Strategy, micros: number): Promise<boolean> =>
    (await probe(strategy)) > HOPELESS * micros && (await probe(strategy)) > HOPELESS * micros;
  await ask({ way: 'cheapest', ef: DEFAULT_EF });
  const { micros: chosenMicros, ...chosen } = await ask({ way: 'cheapest', ef: DEFAULT_EF });
  const lanes: Lane[] = [{ tried: chosen, micros: [] }];
  for (const way of FIXED_WAYS) {
    for (const ef of way === 'vectors' ? [DEFAULT_EF] : EFS) {
      if (await isHopeless({ way, ef }, chosenMicros)) break;
      const { micros: _, ...tried } = await ask({ way, ef });
      if (tried.recall < chosen.recall - RECALL_TOLERANCE) continue;
      lanes.push({ tried, micros: [] });
      break;
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { tried, micros } of lanes) {
      const measured = await subject.filterBy(tried, cell, cell.queries, SECONDS_PER_POINT, 'drop');
      micros.push(1e6 / measured.queriesPerSecond);
    }
  }
  return compare(cell.name, lanes);
}

function compare(cell: string, [chosen, ...fixed]: readonly Lane[]): Compared {
  const byTime = fixed.toSorted((left, right) => median(left.micros)! - median(right.micros)!);
  const best = byTime.at(0) ?? null;
  const ratio =
    best === null ? null : median(chosen!.micros.map((time, round) => time / best.micros[round]!));
  return { cell, chosen: chosen!, best, ratio };
}

function rowOf({ cell, chosen, best, ratio }: Compared, unfiltered: number): string[] {
  const recall = chosen.tried.recall.toFixed(3);
  const isShort = chosen.tried.recall < unfiltered - RECALL_LOST_MAX;
  const isSlow = ratio !== null && ratio > RATIO_MAX;
  return [
    `${cell} %`,
    isShort ? `**${recall}**` : recall,
    microseconds(chosen),
    best === null ? '–' : `${best.tried.way}, ef ${best.tried.ef}`,
    best === null ? '–' : best.tried.recall.toFixed(3),
    best === null ? '–' : microseconds(best),
    isSlow ? `**${times(ratio)}**` : times(ratio),
  ];
}

function barsOf(all: readonly Compared[], unfiltered: number): Bar[] {
  const least = Math.min(...all.map(({ chosen }) => chosen.tried.recall));
  // Where no fixed strategy finds as much in a like time, what was chosen is the best there is.
  const worst = Math.max(...all.map(({ ratio }) => ratio ?? 0));
  return [
    {
      name: 'least recall beside that without a filter',
      reached: least - unfiltered,
      bound: -RECALL_LOST_MAX,
    },
    { name: 'most time beside the best fixed strategy', reached: worst, bound: RATIO_MAX, sense: 'at most' },
  ];
}

const microseconds = ({ micros }: Lane): string => `${median(micros)!.toFixed(1)} us`;
