/** Our index over float16, bfloat16 and int8 rows beside float32, at equal recall against each type's own answers. */
import type { Contestants } from './contestants.ts';
import { type DataSet, type DataSetName, ELEMENTS, type Element } from './data-set.ts';
import { type Bar, jsonLine, megabytes, printBars, printTable, speed, times } from './report.ts';
import type { Way } from './subject.ts';
import {
  type Entry,
  type Limits,
  medianSpeedAt,
  type Sweep,
  searchEntry,
  speedRatioAt,
  sweep,
} from './sweep.ts';

const BATCH: Way = { calls: 'batch', threads: 1 };
const RECALLS = [0.95, 0.99] as const;
const SECONDS_PER_POINT = 0.15;
/** Times float32, whose vectors are the longest. */
const RATIO_MIN = 1;

/** Opens our libraries over the data set with its vectors rounded to `element`. */
export type OpenOurs = (
  name: DataSetName,
  element: Element,
) => Promise<{ readonly data: DataSet; readonly contestants: Contestants }>;

/** Measures all types together, so that they take turns. */
export async function measureTypes(name: DataSetName, limits: Limits, openOurs: OpenOurs): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const entries: Entry[] = [];
  for (const element of ELEMENTS) {
    const { data, contestants } = await openOurs(name, element);
    opened.use(contestants);
    for (const contestant of contestants.list)
      entries.push(searchEntry(`${contestant.subject.library.name} ${element}`, contestant, data, [BATCH]));
  }
  const sweeps = await sweep(entries, { recalls: RECALLS, ...limits, secondsPerPoint: SECONDS_PER_POINT });
  printTypes(name, entries, sweeps);
}

function printTypes(name: DataSetName, entries: readonly Entry[], sweeps: readonly Sweep[]): void {
  const bars: Bar[] = [];
  const rows = entries.map(({ contestant: { subject, index } }, at) => {
    const one = sweeps[at]!;
    const float32 = sweeps.find((other) => other.name === `${subject.library.name} float32`)!;
    const speeds = RECALLS.map((recall) => medianSpeedAt(one, recall));
    const ratios = RECALLS.map((recall) => speedRatioAt(one, float32, recall));
    if (one !== float32)
      RECALLS.forEach((recall, at) => {
        bars.push({ name: `${one.name} × float32 at ${recall}`, reached: ratios[at]!, bound: RATIO_MIN });
      });
    jsonLine({ section: 'types', data: name, name: one.name, recalls: RECALLS, queriesPerSecond: speeds });
    return [
      one.name,
      ...speeds.map(speed),
      ...ratios.map(times),
      `${index.buildSeconds.toFixed(1)} s`,
      megabytes(index.memoryBytes),
    ];
  });
  const at = RECALLS.map((recall) => `at ${recall}`);
  const against = RECALLS.map((recall) => `× float32 at ${recall}`);
  const head = ['rows', ...at, ...against, 'build', 'memory'];
  printTable(`${name}: queries/s by the type of the rows, one thread, batch`, head, rows);
  printBars(`${name}, types`, bars);
}
