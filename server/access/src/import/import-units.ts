import { posix } from 'node:path';
import { importFailed } from '@elanus/model';

export type FileKind = 'json' | 'json lines' | 'csv' | 'parquet' | 'numpy';

const KINDS: Readonly<Record<string, FileKind>> = {
  '.json': 'json',
  '.jsonl': 'json lines',
  '.ndjson': 'json lines',
  '.csv': 'csv',
  '.parquet': 'parquet',
  '.npy': 'numpy',
};
/** `dataCoord.import.maxImportFileNumPerReq`. */
const FILES_MAX = 1_024;

/** What the file's name says. @throws MilvusError 2100 */
export function kindOf(path: string): FileKind {
  const kind = KINDS[posix.extname(path).toLowerCase()];
  if (kind === undefined) throw importFailed(`unexpected file type: ${JSON.stringify(path)}`);
  return kind;
}

/**
 * The files that hold rows together: each by itself, but those of NumPy, which have a field each, by their folder.
 * @throws MilvusError 2100
 */
export function unitsOf(paths: readonly string[]): readonly (readonly string[])[] {
  if (paths.length === 0) throw importFailed('import request is empty');
  if (paths.length > FILES_MAX)
    throw importFailed(`the number of files exceeds the limit: ${paths.length} of ${FILES_MAX}`);
  for (const path of paths) requirePath(path);
  const kinds = new Set(paths.map(kindOf));
  if (kinds.size > 1) throw importFailed(`inconsistency in file types: ${[...kinds].join(', ')}`);
  const [kind] = kinds;
  if (kind !== 'numpy') return paths.map((path) => [path]);
  const folders = Map.groupBy(paths, (path) => posix.dirname(path));
  for (const files of folders.values())
    if (new Set(files.map(fieldOfFile)).size < files.length)
      throw importFailed('there are duplicate file names');
  return [...folders.values()];
}

/** The field that a NumPy file has the values of. */
export function fieldOfFile(path: string): string {
  return posix.basename(path, posix.extname(path));
}

function requirePath(path: string): void {
  const names = path.split('/');
  if (path === '' || path.includes('\0') || names.includes('..') || names.includes('.'))
    throw importFailed(`the path of a file is not valid: ${JSON.stringify(path)}`);
}
