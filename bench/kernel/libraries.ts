/** What is compared: Elanus' two layouts and the libraries of PyPI, each with how it is started. */
import { join } from 'node:path';
import { pythonWith } from '../python.ts';

export interface Library {
  readonly name: string;
  /** A program that speaks the protocol of `subject.ts`; the folders of data and index follow. */
  readonly command: () => readonly string[];
  /** Part of every run, only of one with `--all`, or only of the filtered measurements or those of lists. */
  readonly runs: 'always' | 'all' | 'filtered' | 'lists';
  /** Elanus is built anew in every run: its code changes, its file must not be older than that. */
  readonly ours: boolean;
}

const FIRST_PACKAGES = [
  'numpy==2.4.6',
  'hnswlib==0.8.0',
  'faiss-cpu==1.15.1',
  'usearch==2.26.6',
  'rabitqlib==0.7.1',
  'turbovec==1.1.2',
];
const OTHER_PACKAGES = [
  'numpy==2.4.6',
  'alayalite==1.0.4',
  'pyglass-portable==2.1.0',
  'pyvsag==0.18.5',
  'scalable-vs==0.5.0',
  'scann-core==0.2.1',
  'ngt==2.8.0.post1',
];

/** The Python of the libraries that always run; it has numpy. */
export const firstPython = () => pythonWith('kernel', FIRST_PACKAGES);
const otherPython = () => pythonWith('kernel-others', OTHER_PACKAGES);

const PEER = join(import.meta.dirname, 'peers/peer.py');
const ELANUS = join(import.meta.dirname, 'elanus-subject.ts');

const elanus = (index: string, runs: Library['runs'] = 'always'): Library => ({
  name: `elanus-${index}`,
  command: () => [process.execPath, ELANUS, index],
  runs,
  ours: true,
});
const first = (name: string, adapter: string, runs: Library['runs'] = 'always'): Library => ({
  name,
  command: () => [firstPython(), PEER, adapter],
  runs,
  ours: false,
});
const other = (name: string, adapter: string, runs: Library['runs'] = 'all'): Library => ({
  name,
  command: () => [otherPython(), PEER, adapter],
  runs,
  ours: false,
});

/** Our layouts. */
export const OURS = { fast: 'elanus-fast', compact: 'elanus-compact' } as const;
/** The names that figures are compared with. */
export const HNSWLIB = 'hnswlib';
export const SYMPHONYQG = 'symphonyqg';
/** The scan that filtered searches are compared with. */
export const TURBOVEC = 'turbovec';

export const LIBRARIES: readonly Library[] = [
  elanus('fast'),
  elanus('compact'),
  first(HNSWLIB, 'hnswlib'),
  first(SYMPHONYQG, 'rabitqlib:symphonyqg'),
  first('rabitq-hnsw', 'rabitqlib:hnsw'),
  first('faiss-hnsw', 'faiss:flat'),
  first('faiss-hnsw-sq8', 'faiss:sq8'),
  first('faiss-nsg', 'faiss:nsg'),
  first('usearch-f32', 'usearch:f32'),
  first('usearch-f16', 'usearch:f16'),
  first(TURBOVEC, 'turbovec', 'filtered'),
  other('alayalite', 'alayalite'),
  other('glass', 'glass'),
  other('vsag', 'vsag'),
  other('svs', 'svs'),
  other('scann', 'scann'),
  other('ngt', 'ngt'),
];

/** Ours first, then those of the same kind. */
export interface Family {
  readonly libraries: readonly Library[];
  /** As fast as each of them, so many times, ours has to be at these recalls. */
  readonly speedMin: number;
  readonly recalls: readonly number[];
}

export const LISTS_FAMILY_NAMES = [
  'hnsw',
  'ivf-flat',
  'ivf-sq8',
  'ivf-sq8-refined',
  'ivf-pq',
  'ivf-rabitq',
  'scann',
] as const;

/** With the same number of lists, and as many candidates as far as these are enough; graphs beside them, to choose between. */
export const LISTS_FAMILIES: Readonly<Record<(typeof LISTS_FAMILY_NAMES)[number], Family>> = {
  hnsw: familyOf(1, elanus('fast'), [elanus('compact')]),
  'ivf-flat': familyOf(1.3, elanus('ivf-flat', 'lists'), [faissLists('ivf-flat')]),
  'ivf-sq8': familyOf(1.3, elanus('ivf-sq8', 'lists'), [faissLists('ivf-sq8')]),
  'ivf-sq8-refined': familyOf(1.3, elanus('ivf-sq8-refined', 'lists'), [faissLists('ivf-sq8-refined')]),
  'ivf-pq': familyOf(1.3, elanus('ivf-pq', 'lists'), [faissLists('ivf-pq')]),
  'ivf-rabitq': familyOf(1, elanus('ivf-rabitq', 'lists'), [
    faissLists('ivf-rabitq'),
    first('rabitqlib-ivf', 'rabitqlib:ivf', 'lists'),
  ]),
  scann: familyOf(1, elanus('scann', 'lists'), [
    faissLists('scann'),
    other('scann-lists', 'scann:same', 'lists'),
  ]),
};

/** Binary vectors in lists. */
export const BINARY_FAMILY: Family = {
  ...familyOf(2, elanus('bin-ivf-flat', 'lists'), [first('faiss-bin-ivf', 'faiss_binary', 'lists')]),
  recalls: [0.95],
};

function familyOf(speedMin: number, ours: Library, others: readonly Library[]): Family {
  return { libraries: [ours, ...others], speedMin, recalls: [0.95, 0.99] };
}

function faissLists(variant: string): Library {
  return first(`faiss-${variant}`, `faiss_lists:${variant}`, 'lists');
}

/** The libraries whose name is one of `names` or begins with it and a dash; without names those that always run. */
export function librariesNamed(names: readonly string[] | null, all: boolean): readonly Library[] {
  if (names === null) return LIBRARIES.filter(({ runs }) => runs === 'always' || (all && runs === 'all'));
  return names.flatMap((wanted) => {
    const found = LIBRARIES.filter(({ name }) => name === wanted || name.startsWith(`${wanted}-`));
    if (found.length === 0)
      throw new Error(`no library ${wanted}; there are ${LIBRARIES.map(({ name }) => name).join(', ')}`);
    return found;
  });
}
