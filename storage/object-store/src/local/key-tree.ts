import { type DirectoryEntry, type Disk, DiskError } from '@elanus/runtime';
import { compareKeys } from '../object-key.ts';
import { fileName, nameOfFile } from './file-name.ts';

export interface KeyRange {
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly after: string;
}

/**
 * The objects of a directory with their files, in the order of their keys. Reads only the folders that can hold some.
 * Files that no key has are passed over.
 */
export async function* keysOfTree(
  disk: Disk,
  directory: string,
  range: KeyRange,
): AsyncGenerator<{ readonly key: string; readonly path: string }> {
  const folder = range.prefix.slice(0, range.prefix.lastIndexOf('/') + 1);
  const names = folder.split('/').slice(0, -1);
  if (names.some((name) => name === '' || name === '.' || name === '..')) return;
  yield* keysBelow(disk, [directory, ...names.map(fileName)].join('/'), folder, range);
}

async function* keysBelow(
  disk: Disk,
  path: string,
  folder: string,
  { prefix, after }: KeyRange,
): AsyncGenerator<{ readonly key: string; readonly path: string }> {
  const found = (await entriesOf(disk, path)).flatMap((entry) => {
    const name = nameOfFile(entry.name);
    if (name === null) return [];
    // The slash counts: `a-b` comes before `a/b`.
    const key = `${folder}${name}${entry.kind === 'directory' ? '/' : ''}`;
    return [{ key, path: `${path}/${entry.name}`, kind: entry.kind }];
  });
  for (const entry of found.sort((a, b) => compareKeys(a.key, b.key))) {
    if (!entry.key.startsWith(prefix) && !prefix.startsWith(entry.key)) continue;
    if (entry.kind === 'directory') {
      const isBefore = compareKeys(entry.key, after) < 0 && !after.startsWith(entry.key);
      if (!isBefore) yield* keysBelow(disk, entry.path, entry.key, { prefix, after });
    } else if (entry.key.startsWith(prefix) && compareKeys(entry.key, after) > 0) {
      yield { key: entry.key, path: entry.path };
    }
  }
}

async function entriesOf(disk: Disk, path: string): Promise<readonly DirectoryEntry[]> {
  try {
    return await disk.list(path);
  } catch (error) {
    if (error instanceof DiskError && error.kind === 'missing') return [];
    throw error;
  }
}
