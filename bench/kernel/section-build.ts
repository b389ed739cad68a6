/** What an index costs before the first search: seconds with two threads, and memory. */
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { HNSWLIB, OURS } from './libraries.ts';
import { type Bar, jsonLine, megabytes, printBars, printTable, times } from './report.ts';

/** Of hnswlib's time. */
const BUILD_MAX = 0.7;
/** Of the compact layout, beside vectors and the links of a graph of degree 16. */
const MEMORY_MAX = 1.35;
const LINK_BYTES = 128;

/** Of an index that an earlier version of this program built nobody knows. */
function seconds(value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(1)} s`;
}

export function reportBuild(contestants: readonly Contestant[], data: DataSet): void {
  const raw = data.base.byteLength;
  const hnswlib = contestants.find(({ subject }) => subject.library.name === HNSWLIB);
  const rows = contestants.map(({ subject, index }) => {
    const { name: library } = subject.library;
    const { buildSeconds, buildProcessorSeconds, memoryBytes, memoryMeans } = index;
    jsonLine({
      section: 'build',
      data: data.name,
      library,
      buildSeconds,
      buildProcessorSeconds,
      memoryBytes,
      memoryMeans,
    });
    return [
      library,
      seconds(buildSeconds),
      seconds(buildProcessorSeconds),
      hnswlib ? times(buildSeconds / hnswlib.index.buildSeconds) : '–',
      hnswlib ? times(buildProcessorSeconds / hnswlib.index.buildProcessorSeconds) : '–',
      megabytes(memoryBytes),
      times(memoryBytes / raw),
      memoryMeans,
    ];
  });
  const head = [
    'library',
    'build',
    'processor time',
    `build of ${HNSWLIB}'s`,
    'processor time',
    'memory',
    '× raw vectors',
    'memory is',
  ];
  printTable(`${data.name}: build with two threads, and memory`, head, rows);
  printBars(`${data.name}, build`, barsOf(contestants, data, hnswlib));
}

function barsOf(
  contestants: readonly Contestant[],
  { shape }: DataSet,
  hnswlib: Contestant | undefined,
): Bar[] {
  return Object.values(OURS).flatMap((name) => {
    const index = contestants.find(({ subject }) => subject.library.name === name)?.index;
    if (index === undefined) return [];
    const bars: Bar[] = [];
    if (hnswlib !== undefined) {
      const { buildSeconds, buildProcessorSeconds } = hnswlib.index;
      const most = { bound: BUILD_MAX, sense: 'at most' } as const;
      const named = `${name}: build × ${HNSWLIB}'s`;
      bars.push({ name: `${named}, by the clock`, reached: index.buildSeconds / buildSeconds, ...most });
      const reached = index.buildProcessorSeconds / buildProcessorSeconds;
      bars.push({ name: `${named}, by processor time`, reached, ...most });
    }
    if (name === OURS.compact) {
      const reached = index.memoryBytes / (shape.rows * (4 * shape.dim + LINK_BYTES));
      bars.push({
        name: `${name}: memory × vectors and links`,
        reached,
        bound: MEMORY_MAX,
        sense: 'at most',
      });
    }
    return bars;
  });
}
