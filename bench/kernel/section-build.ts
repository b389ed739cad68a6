/** What an index costs before the first search: seconds with two threads, and memory. */
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { HNSWLIB } from './libraries.ts';
import { jsonLine, megabytes, printTable, times } from './report.ts';

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
}
