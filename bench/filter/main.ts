/**
 * What filters cost: Elanus without and with an index, in process, beside DuckDB on the same rows. One thread each, and
 * processor time, so that a busy machine does not change the picture. Every time a question is asked its constant is
 * another one. Then the same questions through the wire, beside Milvus 2.3.5 (`wire.ts`).
 * `npm run bench:filter -- --rows 1000000 --passes 10`
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE, pythonWith } from '../python.ts';
import { ElanusSubject } from './elanus-subject.ts';
import { type FilterQuestion, QUESTIONS, writeCsv } from './filter-data.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    passes: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    'without-duckdb': { type: 'boolean', default: false },
    'without-wire': { type: 'boolean', default: false },
  },
});
const rows = Number(options.rows);
const passes = Number(options.passes);
const questions = QUESTIONS.filter(({ name }) => name.includes(options.only));

interface Measured {
  readonly milliseconds: number;
  readonly rows: readonly number[];
}

/** The quickest of the passes, in milliseconds of processor time. */
async function measure(count: (at: number) => Promise<number>): Promise<Measured> {
  let milliseconds = Number.POSITIVE_INFINITY;
  const found: number[] = [];
  for (let at = 0; at < passes; at++) {
    const { spent, result } = await timed(() => count(at));
    found.push(result);
    milliseconds = Math.min(milliseconds, spent);
  }
  return { milliseconds, rows: found };
}

async function timed<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly spent: number; readonly result: Result }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { spent: (user + system) / 1_000, result };
}

/** What the first two equalities cost on rows that nobody has asked about, once their code is compiled. */
async function measureFirst(question: FilterQuestion): Promise<readonly number[]> {
  const untouched = await ElanusSubject.withRows(rows);
  const spent: number[] = [];
  for (const at of [passes, passes + 1])
    spent.push((await timed(() => untouched.count(question.filter(at), 'scan'))).spent);
  return spent;
}

async function countInDuckDb(): Promise<readonly Measured[]> {
  const python = pythonWith('duckdb', ['duckdb==1.4.2']);
  const csv = join(CACHE, `bench-filter-${rows}.csv`);
  if (!existsSync(csv)) await writeCsv(csv, rows);
  const script = join(import.meta.dirname, 'duckdb_count.py');
  const input = questions
    .map(({ sql }) => JSON.stringify(Array.from({ length: passes }, (_, at) => sql(at))))
    .join('\n');
  const output = execFileSync(python, [script, csv, String(passes)], {
    input,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Measured);
}

function expectSame(question: FilterQuestion, one: Measured, other: Measured | undefined): void {
  if (other !== undefined && one.rows.join() !== other.rows.join())
    throw new Error(`${question.name}: ${one.rows.join()} is not ${other.rows.join()}`);
}

const duckDb = options['without-duckdb'] ? [] : await countInDuckDb();
const subject = await ElanusSubject.withRows(rows);
const shown = (milliseconds: number) => milliseconds.toFixed(milliseconds < 10 ? 2 : 1);
console.log(
  `| ${rows} rows, ms | Elanus, scan | DuckDB | scan / DuckDB | Elanus, index | DuckDB / index | build |`,
);
console.log('|---|---|---|---|---|---|---|');
for (const [at, question] of questions.entries()) {
  const scan = await measure((pass) => subject.count(question.filter(pass), 'scan'));
  const built = subject.build(question);
  const index = await measure((pass) => subject.count(question.filter(pass), 'indexes'));
  const other = duckDb[at];
  expectSame(question, scan, index);
  expectSame(question, scan, other);
  const cells = [
    question.name,
    shown(scan.milliseconds),
    other === undefined ? '' : shown(other.milliseconds),
    other === undefined ? '' : (scan.milliseconds / other.milliseconds).toFixed(2),
    shown(index.milliseconds),
    other === undefined ? '' : (other.milliseconds / index.milliseconds).toFixed(1),
    built === null ? '' : shown(built),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
const equality = questions.findIndex(({ name }) => name === 'title == x');
if (equality >= 0) {
  const first = await measureFirst(questions[equality]!);
  const other = duckDb[equality];
  const beside = other === undefined ? '' : `; DuckDB's quickest ${shown(other.milliseconds)}`;
  console.log(`\ntitle == x, the first two on new rows: ${first.map(shown).join(' and ')} ms${beside}`);
}

if (!options['without-wire']) {
  console.log('');
  execFileSync(process.execPath, [join(import.meta.dirname, 'wire.ts')], { stdio: 'inherit' });
}
