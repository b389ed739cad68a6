/**
 * Measures the kernel's vector indexes beside the libraries of PyPI, on the same data in the same run.
 *
 *   npm run bench:kernel                        everything, the libraries that always run
 *   npm run bench:kernel -- --all               … and the others
 *   npm run bench:kernel -- --only speed        some of: build, speed, lists, filtered, strategies, types, exact, binary, disk
 *   npm run bench:kernel -- --data l2-128       some of: l2-128, cosine-768, packages
 *   npm run bench:kernel -- --lib elanus,hnswlib
 *   npm run bench:kernel -- --only lists --family scann   some of: ivf-flat, ivf-sq8, ivf-sq8-refined, ivf-pq, …
 *   npm run bench:kernel -- --only disk --rows 200000     1,000,000 unless told: diskannpy builds for long
 *   npm run bench:kernel -- --rounds 1          5 unless told: libraries take turns, medians count
 *   npm run bench:kernel -- --minutes 3         6 unless told: when a table has taken as long no further round begins
 *   npm run bench:kernel -- --reuse             our own indexes of the last run too, read from their files
 *   npm run bench:kernel -- --rebuild           the peers' indexes anew; otherwise those of the last run are kept
 */
import { parseArgs } from 'node:util';
import { type Contestants, openContestants } from './contestants.ts';
import { DATA_SETS, type DataSet, type DataSetName, type Element, loadDataSet } from './data-set.ts';
import { measureExactSearch } from './exact-search.ts';
import {
  firstPython,
  LIBRARIES,
  LISTS_FAMILIES,
  LISTS_FAMILY_NAMES,
  type Library,
  librariesNamed,
} from './libraries.ts';
import { type Bar, printBars } from './report.ts';
import { measureBinary } from './section-binary.ts';
import { reportBuild } from './section-build.ts';
import { measureDisk } from './section-disk.ts';
import { FILTER_RIVALS, measureFiltered } from './section-filtered.ts';
import { measureFamily } from './section-lists.ts';
import { measureSpeed } from './section-speed.ts';
import { measureStrategies } from './section-strategies.ts';
import { measureTypes } from './section-types.ts';

const SECTIONS = [
  'build',
  'speed',
  'lists',
  'filtered',
  'strategies',
  'types',
  'exact',
  'binary',
  'disk',
] as const;

/** Where filtered searches are compared with those of peers. */
const FILTERED_DATA: DataSetName = 'packages';

const list = { type: 'string', multiple: true } as const;
const { values: options } = parseArgs({
  options: {
    only: list,
    data: list,
    lib: list,
    family: list,
    rounds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '6' },
    all: { type: 'boolean', default: false },
    reuse: { type: 'boolean', default: false },
    rebuild: { type: 'boolean', default: false },
  },
});
const sections = chosen(options.only, SECTIONS);
const rounds = Number(options.rounds);
const limits = { rounds, minutesMax: Number(options.minutes) };
const libraries = librariesNamed(split(options.lib), options.all);
const prepareOptions = { rebuild: options.rebuild, reuseOurs: options.reuse };

for (const name of chosen(options.data, DATA_SETS)) {
  if (isAsked('build', 'speed', 'strategies') || isFiltered(name)) await measureDataSet(name);
  if (isAsked('lists')) await measureLists(name);
  if (isAsked('types')) await measureTypes(name, limits, openOurs);
}
if (isAsked('exact')) await measureExactSearch(Math.min(rounds, 3));
if (isAsked('binary')) await measureBinary(rounds, prepareOptions);
if (isAsked('disk')) measureDisk(Number(options.rows), Math.min(rounds, 3), options.rebuild);

function isAsked(...names: readonly (typeof SECTIONS)[number][]): boolean {
  return names.some((name) => sections.includes(name));
}

function isFiltered(name: DataSetName): boolean {
  return isAsked('filtered') && name === FILTERED_DATA;
}

function librariesFor(name: DataSetName): readonly Library[] {
  const filters = isFiltered(name);
  const chosen =
    filters && !options.lib
      ? [...libraries, ...LIBRARIES.filter(({ runs }) => runs === 'filtered')]
      : libraries;
  if (isAsked('build', 'speed')) return chosen;
  return chosen.filter((library) => library.ours || (filters && FILTER_RIVALS.includes(library.name)));
}

async function measureDataSet(name: DataSetName): Promise<void> {
  const data = loadDataSet(firstPython(), name);
  await using contestants = await openContestants(librariesFor(name), data, prepareOptions);
  const { list } = contestants;
  if (isAsked('build')) reportBuild(list, data);
  if (isAsked('speed')) await measureSpeed(list, data, limits);
  if (isFiltered(name)) await measureFiltered(list, data, rounds, firstPython());
  if (isAsked('strategies')) await measureStrategies(list, data, rounds, firstPython());
}

/** Family by family, so that few indexes are in memory at once. */
async function measureLists(name: DataSetName): Promise<void> {
  const data = loadDataSet(firstPython(), name);
  const bars: Bar[] = [];
  for (const chosenName of chosen(options.family, LISTS_FAMILY_NAMES)) {
    const family = LISTS_FAMILIES[chosenName];
    await using contestants = await openContestants(family.libraries, data, prepareOptions);
    reportBuild(contestants.list, data);
    bars.push(...(await measureFamily(contestants.list, family, data, rounds)));
  }
  printBars(`${name}, lists`, bars);
}

async function openOurs(
  name: DataSetName,
  element: Element,
): Promise<{ data: DataSet; contestants: Contestants }> {
  const data = loadDataSet(firstPython(), name, element);
  const ours = libraries.filter((library) => library.ours);
  return { data, contestants: await openContestants(ours, data, prepareOptions) };
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
