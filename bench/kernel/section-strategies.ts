/** Our filtered searches at default parameters: what they find, and their time beside that of fixed strategies. */
import type { SearchWay } from '@elanus/kernel';
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { filterCells, type NamedCell } from './filter-cells.ts';
import { kthScores, recallOf } from './recall.ts';
import { jsonLine, printTable, times } from './report.ts';
import type { Knob, Way } from './subject.ts';
import { K, median } from './sweep.ts';

/** What AUTOINDEX searches with. */
const DEFAULT_EF: Knob = 64;
const FIXED_WAYS: readonly SearchWay[] = ['walk', 'short codes', 'long codes', 'vectors'];
const EFS: readonly Knob[] = [10, 14, 20, 28, 40, 64, 96, 160, 320, 640, 1280];
const SINGLE: Way = { calls: 'single', threads: 1 };
/** Below what is found without a filter by more than this, and the filter has cost too much. */
const RECALL_LOST_MAX = 0.01;
/** Two strategies that differ by less find as much. */
const RECALL_TOLERANCE = 0.001;
/** A strategy that takes so many times as long is swept no further. */
const HOPELESS = 4;
const SECONDS_PER_POINT = 0.1;

/** A way to search and its `ef`, and what it finds. */
interface Strategy {
  readonly way: SearchWay;
  readonly ef: Knob;
  readonly recall: number;
}

/** Measures those of `contestants` that are ours, each under every bitmap. */
export async function measureStrategies(
  contestants: readonly Contestant[],
  data: DataSet,
  rounds: number,
  python: string,
): Promise<void> {
  const cells = filterCells(data, python);
  for (const contestant of contestants.filter(({ subject }) => subject.library.ours)) {
    const { name } = contestant.subject.library;
    const unfiltered = await unfilteredRecall(contestant, data);
    const rows = [];
    for (const cell of cells) rows.push(await measureCell(contestant, data, cell, rounds, unfiltered));
    const head = [
      'allowed',
      'recall',
      'time',
      'best fixed strategy',
      'its recall',
      'its time',
      '× best fixed',
    ];
    printTable(
      `${data.name}: ${name} under filters with ef ${DEFAULT_EF}, processor time; ${unfiltered.toFixed(3)} without a filter`,
      head,
      rows,
    );
  }
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
  unfiltered: number,
): Promise<string[]> {
  const ask = async (way: SearchWay, ef: Knob): Promise<Strategy & { readonly micros: number }> => {
    const { rows, queriesPerSecond } = await subject.filter(ef, cell, 0, 'keep', way);
    return { way, ef, recall: recallOf(data, rows!, K, cell.kthScores), micros: 1e6 / queriesPerSecond };
  };
  const chosen = await ask('cheapest', DEFAULT_EF);
  const fixed: Strategy[] = [];
  for (const way of FIXED_WAYS) {
    for (const ef of way === 'vectors' ? [DEFAULT_EF] : EFS) {
      const tried = await ask(way, ef);
      if (tried.recall >= chosen.recall - RECALL_TOLERANCE) fixed.push(tried);
      if (fixed.at(-1) === tried || tried.micros > HOPELESS * chosen.micros) break;
    }
  }
  const lanes = [chosen, ...fixed].map((strategy) => ({ strategy, micros: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { strategy, micros } of lanes) {
      const measured = await subject.filter(strategy.ef, cell, SECONDS_PER_POINT, 'drop', strategy.way);
      micros.push(1e6 / measured.queriesPerSecond);
    }
  }
  return describe(data, cell, unfiltered, lanes, subject.library.name);
}

interface Lane {
  readonly strategy: Strategy;
  /** A query, round by round. */
  readonly micros: readonly number[];
}

function describe(
  data: DataSet,
  cell: NamedCell,
  unfiltered: number,
  [chosen, ...fixed]: readonly Lane[],
  library: string,
): string[] {
  const { strategy, micros } = chosen!;
  const best = fixed.toSorted((left, right) => median(left.micros)! - median(right.micros)!).at(0);
  const ratio = best ? median(micros.map((time, round) => time / best.micros[round]!)) : null;
  jsonLine({
    section: 'strategies',
    data: data.name,
    library,
    cell: cell.name,
    unfiltered,
    chosen,
    best,
    ratio,
  });
  const isShort = strategy.recall < unfiltered - RECALL_LOST_MAX;
  const recall = strategy.recall.toFixed(3);
  return [
    `${cell.name} %`,
    isShort ? `**${recall}**` : recall,
    microseconds(micros),
    best ? `${best.strategy.way}, ef ${best.strategy.ef}` : '–',
    best ? best.strategy.recall.toFixed(3) : '–',
    best ? microseconds(best.micros) : '–',
    times(ratio),
  ];
}

const microseconds = (micros: readonly number[]): string => `${median(micros)!.toFixed(1)} us`;
