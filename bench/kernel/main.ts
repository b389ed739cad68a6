/**
 * Measures the kernel's vector indexes beside the libraries of PyPI, on the same data in the same run.
 *
 *   npm run bench:kernel                        everything, the libraries that always run
 *   npm run bench:kernel -- --all               … and the others
 *   npm run bench:kernel -- --only speed        some of: build, speed, filtered (on the packages)
 *   npm run bench:kernel -- --data l2-128       some of: l2-128, cosine-768, packages
 *   npm run bench:kernel -- --lib elanus,hnswlib
 *   npm run bench:kernel -- --rounds 1          5 unless told: libraries take turns, medians count
 *   npm run bench:kernel -- --reuse             our own indexes of the last run too, read from their files
 *   npm run bench:kernel -- --rebuild           the peers' indexes anew; otherwise those of the last run are kept
 */
import { parseArgs } from 'node:util';
import { DATA_SETS, type DataSet, type DataSetName, loadDataSet } from './data-set.ts';
import { firstPython, LIBRARIES, type Library, librariesNamed } from './libraries.ts';
import { reportBuild } from './section-build.ts';
import { measureFiltered } from './section-filtered.ts';
import { measureSpeed } from './section-speed.ts';
import { type PrepareOptions, Subject } from './subject.ts';
import type { Contestant } from './sweep.ts';

const SECTIONS = ['build', 'speed', 'filtered'] as const;

/** The one that has them. */
const FILTERED_DATA: DataSetName = 'packages';

const list = { type: 'string', multiple: true } as const;
const { values: options } = parseArgs({
  options: {
    only: list,
    data: list,
    lib: list,
    rounds: { type: 'string', default: '5' },
    all: { type: 'boolean', default: false },
    reuse: { type: 'boolean', default: false },
    rebuild: { type: 'boolean', default: false },
  },
});
const sections = chosen(options.only, SECTIONS);
const rounds = Number(options.rounds);
const libraries = librariesNamed(split(options.lib), options.all);
const prepareOptions = { rebuild: options.rebuild, reuseOurs: options.reuse };

for (const name of chosen(options.data, DATA_SETS)) {
  await withContestants(librariesFor(name), loadDataSet(firstPython(), name), prepareOptions, measureDataSet);
}

function librariesFor(name: DataSetName): readonly Library[] {
  const filters = sections.includes('filtered') && name === FILTERED_DATA && !options.lib;
  return filters ? [...libraries, ...LIBRARIES.filter(({ runs }) => runs === 'filtered')] : libraries;
}

async function measureDataSet(contestants: readonly Contestant[], data: DataSet): Promise<void> {
  if (sections.includes('build')) reportBuild(contestants, data);
  if (sections.includes('speed')) await measureSpeed(contestants, data, rounds);
  if (sections.includes('filtered') && data.name === FILTERED_DATA)
    await measureFiltered(contestants, data, rounds, firstPython());
}

/** One after the other, so that each builds alone. */
async function withContestants(
  libraries: readonly Library[],
  data: DataSet,
  options: PrepareOptions,
  body: (contestants: readonly Contestant[], data: DataSet) => Promise<void>,
): Promise<void> {
  await using subjects = new AsyncDisposableStack();
  const contestants: Contestant[] = [];
  for (const library of libraries) {
    try {
      const contestant = await Subject.prepare(library, data, options);
      subjects.use(contestant.subject);
      contestants.push(contestant);
    } catch (error) {
      // One library that cannot be installed or dies must not cost the figures of all others.
      console.error(`${library.name} is left out:`, error);
    }
  }
  await body(contestants, data);
}

function split(given: readonly string[] | undefined): readonly string[] | null {
  return given?.flatMap((names) => names.split(',')) ?? null;
}

function chosen<Name extends string>(
  given: readonly string[] | undefined,
  all: readonly Name[],
): readonly Name[] {
  const names = split(given) ?? all;
  const wrong = names.find((name) => !(all as readonly string[]).includes(name));
  if (wrong !== undefined) throw new Error(`${wrong} is none of ${all.join(', ')}`);
  return all.filter((name) => names.includes(name));
}
