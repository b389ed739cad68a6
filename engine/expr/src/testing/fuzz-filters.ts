/**
 * Plans and runs random and damaged filters: each has to be refused by a typed error or to be answered, in bounded time and
 * memory. `node engine/expr/src/testing/fuzz-filters.ts [count] [seed]`; a million by default.
 */
import { MilvusError } from '@elanus/model';
import { compilePredicate } from '../compile.ts';
import { planFilter } from '../plan-filter.ts';
import { columnsOf, DEMO_ROWS, demoSchema } from './demo-rows.ts';
import { drawFrom, fuzzedFilter } from './fuzzed-filters.ts';

const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
/** Of processor time, for one filter over ten rows: collecting garbage and compiling included. */
const MS_MAX = 1_000;
const HEAP_MB_MAX = 1_024;
const REPORTED = 100_000;

const schema = demoSchema('dynamic');
const source = columnsOf(schema, DEMO_ROWS);
const matches = new Uint8Array(DEMO_ROWS.length);
const draw = drawFrom(seed);
let answered = 0;
let slowest = { milliseconds: 0, text: '' };
for (let i = 1; i <= count; i++) {
  const text = fuzzedFilter(draw);
  const before = process.cpuUsage();
  try {
    const predicate = planFilter(text, schema);
    if (predicate !== null) compilePredicate(predicate)(source, 0, DEMO_ROWS.length, matches);
    answered += 1;
  } catch (error) {
    if (!(error instanceof MilvusError) || error.code !== 1100)
      throw new Error(`filter ${i} of seed ${seed}: ${text.slice(0, 2_000)}`, { cause: error });
  }
  const { user, system } = process.cpuUsage(before);
  const milliseconds = (user + system) / 1_000;
  if (milliseconds > slowest.milliseconds) slowest = { milliseconds, text };
  if (milliseconds > MS_MAX) throw new Error(`${milliseconds} ms for filter ${i} of seed ${seed}: ${text}`);
  if (i % REPORTED !== 0 && i !== count) continue;
  const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  console.log(`${i} filters, ${answered} answered, ${heapMb.toFixed(0)} MB of heap`);
  if (heapMb > HEAP_MB_MAX) throw new Error('filters leave memory behind');
}
console.log(`the slowest took ${slowest.milliseconds.toFixed(1)} ms: ${slowest.text.slice(0, 200)}`);
