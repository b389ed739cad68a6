import { type Mistake, mistakesOf } from './mistake.ts';

const ending = ': importing data failed';
const books = (files: readonly string[], options: Readonly<Record<string, string>> = {}) => ({
  collectionName: 'books',
  files: [...files],
  options: Object.entries(options).map(([key, value]) => ({ key, value })),
});

/** What is refused before a job begins; the mistakes in files are told by the job. */
export const IMPORT_MISTAKES: readonly Mistake[] = [
  ...mistakesOf('Import', [
    ['no files', books([]), 2100, `import request is empty${ending}`],
    ['a file of no known kind', books(['rows.xml']), 2100, `unexpected file type: "rows.xml"${ending}`],
    [
      'files of two kinds',
      books(['rows.json', 'rows.parquet']),
      2100,
      `inconsistency in file types: json, parquet${ending}`,
    ],
    [
      'a file out of the directory',
      books(['../rows.json']),
      2100,
      `the path of a file is not valid: "../rows.json"${ending}`,
    ],
    [
      'more files than one import takes',
      books(Array.from({ length: 1025 }, (_, file) => `${file}.json`)),
      2100,
      `the number of files exceeds the limit: 1025 of 1024${ending}`,
    ],
    [
      'a separator of two characters',
      books(['rows.csv'], { sep: '||' }),
      2100,
      `unsupported csv separator: "||"${ending}`,
    ],
    [
      'a time-out that is none',
      books(['rows.csv'], { timeout: 'soon' }),
      2100,
      `parse timeout failed: "soon"${ending}`,
    ],
    [
      'files of a backup',
      books(['rows.parquet'], { backup: 'true' }),
      2100,
      `files of option backup are not supported${ending}`,
    ],
    [
      'a partition that does not exist',
      { ...books(['rows.json']), partitionName: 'nowhere' },
      200,
      'partition not found[partition=nowhere]',
    ],
  ]),
  ...mistakesOf('GetImportState', [
    ['a job of nobody', { task: 7n }, 2100, `cannot find import job with jobID 7${ending}`],
    ['no job', {}, 2100, `cannot find import job with jobID 0${ending}`],
  ]),
  ...mistakesOf('ListImportTasks', [
    [
      'a collection that does not exist',
      { collectionName: 'nowhere' },
      100,
      'collection not found[database=default][collection=nowhere]',
    ],
  ]),
];
