/**
 * Measures the sparse index beside the libraries of PyPI, on the same words and vectors in the same run: one thread, one
 * query a call, the best ten, by processor time.
 *
 *   npm run bench:text                               everything
 *   npm run bench:text -- --data packages            some of: packages, packages-10, learned
 *   npm run bench:text -- --lib elanus,tantivy       some of: elanus, tantivy, bm25s, scipy, seismic
 *   npm run bench:text -- --rounds 1                 3 unless told: libraries take turns, medians count
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { megabytes, printTable, speed, times } from '../kernel/report.ts';
import { CACHE } from '../python.ts';
import { type Built, ELANUS, type Knob, peerPython, type Searched, Subject } from './subject.ts';

const LIBRARIES = {
  packages: [ELANUS, 'tantivy', 'bm25s'],
  'packages-10': [ELANUS, 'tantivy', 'bm25s'],
  learned: [ELANUS, 'scipy', 'seismic'],
} as const;
type DataName = keyof typeof LIBRARIES;

/** Where the packages lie, as for the kernel's benchmark. */
const PACKAGES = resolve(
  process.env.ELANUS_PACKAGES ?? join(import.meta.dirname, '../../../shared/data/debian-packages'),
);
const SECONDS = 2;

const list = { type: 'string', multiple: true } as const;
const { values: options } = parseArgs({
  options: { data: list, lib: list, rounds: { type: 'string', default: '3' } },
});
const split = (given: readonly string[] | undefined) => given?.flatMap((names) => names.split(',')) ?? null;

interface Contestant {
  readonly subject: Subject;
  readonly built: Built;
  /** By knob, in the order of the rounds. */
  readonly searched: Map<Knob, Searched[]>;
}

for (const name of Object.keys(LIBRARIES) as DataName[]) {
  if (split(options.data)?.includes(name) ?? true) await measure(name);
}

async function measure(name: DataName): Promise<void> {
  const folder = dataFolder(name);
  const { rows } = JSON.parse(readFileSync(join(folder, 'shape.json'), 'utf8')) as { rows: number };
  await using open = new AsyncDisposableStack();
  const contestants: Contestant[] = [];
  for (const library of LIBRARIES[name]) {
    if (!(split(options.lib)?.includes(library) ?? true)) continue;
    const subject = open.use(new Subject(library, folder));
    try {
      contestants.push({ subject, built: await subject.build(), searched: new Map() });
    } catch (error) {
      // One library that cannot be installed or dies must not cost the figures of all others.
      console.error(`${library} is left out:`, error);
    }
  }
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { subject, built, searched } of contestants) {
      for (const knob of built.knobs)
        searched.set(knob, [...(searched.get(knob) ?? []), await subject.search(knob, SECONDS)]);
    }
  }
  report(name, rows, contestants);
}

/** Makes the data set on first use, which takes up to a minute. */
function dataFolder(name: DataName): string {
  const folder = join(CACHE, 'bench-text/data', name);
  if (!existsSync(join(folder, 'shape.json'))) {
    const script = join(import.meta.dirname, 'peers/make_data.py');
    execFileSync(peerPython(), [script, name, folder, PACKAGES], { stdio: 'inherit' });
  }
  return folder;
}

function report(name: DataName, rows: number, contestants: readonly Contestant[]): void {
  const ours = contestants
    .find(({ subject }) => subject.name === ELANUS)
    ?.searched.values()
    .next().value;
  const lines = contestants.flatMap(({ subject, built, searched }) =>
    [...searched].map(([knob, rounds]) => {
      const queriesPerSecond = median(rounds, (round) => round.queriesPerSecond);
      const ratio =
        ours === undefined ? null : median(ours, (round) => round.queriesPerSecond) / queriesPerSecond;
      const { found, exact } = rounds[0]!;
      const withWords = built.seconds + (built.wordSeconds ?? 0);
      return [
        built.knobs.length > 1 ? `${subject.name} ${JSON.stringify(knob)}` : subject.name,
        speed(queriesPerSecond),
        subject.name === ELANUS ? '' : times(ratio),
        percent(found),
        percent(exact),
        `${median(rounds, (round) => round.callMicroseconds).toFixed(1)} us`,
        speed(rows / built.seconds) +
          (built.wordSeconds == null ? '' : `, with words ${speed(rows / withWords)}`),
        megabytes(built.memoryBytes),
        megabytes(built.fileBytes),
      ];
    }),
  );
  const head = [
    ...['', 'queries/s', 'Elanus is … times as fast', 'found', 'exact scores', 'an empty call'],
    ...['rows/s indexed', 'memory', 'file'],
  ];
  printTable(`${name}: ${rows} rows`, head, lines);
}

function median(rounds: readonly Searched[], of: (round: Searched) => number): number {
  const sorted = rounds.map(of).sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
