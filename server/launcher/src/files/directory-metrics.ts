import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metrics } from '@elanus/runtime';

const BLOCK_BYTES = 512;
/** Files looked at side by side: all threads of the pool are wanted for reads as well. */
const LOOKS_MAX = 2;

/**
 * What the data directory takes on the disk, by its parts: the log, the catalog, copies of a bucket's files, the local
 * object store. Measured when it is asked for, in allocated blocks.
 */
export function registerDirectoryMetrics(
  metrics: Metrics,
  { paths }: { readonly paths: Readonly<Record<'log' | 'catalog' | 'cache' | 'objects', string>> },
): void {
  metrics.gauges(
    'elanus_directory_bytes',
    'Allocated blocks of the parts of the data directory, folders included',
    ['part'],
    async () => {
      const sizes: (readonly [{ readonly part: string }, number])[] = [];
      for (const [part, path] of Object.entries(paths)) sizes.push([{ part }, await allocatedBytes(path)]);
      return sizes;
    },
  );
}

/** Blocks of a file, or of a folder with all that is in it. What is removed meanwhile, or not there, counts nothing. */
async function allocatedBytes(path: string): Promise<number> {
  const own = await lstat(path).catch(() => null);
  if (own === null) return 0;
  let bytes = own.blocks * BLOCK_BYTES;
  if (!own.isDirectory()) return bytes;
  const names = await readdir(path).catch(() => []);
  for (let at = 0; at < names.length; at += LOOKS_MAX) {
    const looked = names.slice(at, at + LOOKS_MAX).map((name) => allocatedBytes(join(path, name)));
    for (const size of await Promise.all(looked)) bytes += size;
  }
  return bytes;
}
