import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLockFile } from '@elanus/kernel';

/** The root of the checkout that these tests run. */
export const repositoryRoot = resolve(import.meta.dirname, '../../..');

const cacheRoot =
  process.env.ELANUS_CONFORMANCE_CACHE ?? join(repositoryRoot, 'node_modules/.cache/conformance');

/** A path below the folder that keeps environments, packages and builds from one run to the next. */
export function cachePath(...names: string[]): string {
  return join(cacheRoot, ...names);
}

const LOCK_PAUSE_MS = 100;

/**
 * Prepares `directory` unless an earlier run did it from the same `recipe`: what it is made of, as
 * text (versions, or the sources themselves). A preparation that failed or was interrupted starts
 * again from an empty folder. Of several test files that want it at once, one prepares and the others wait.
 */
export async function prepareOnce(
  directory: string,
  recipe: readonly string[],
  prepare: (directory: string) => Promise<void>,
): Promise<string> {
  mkdirSync(dirname(directory), { recursive: true });
  await using lock = await open(`${directory}.lock`, 'w');
  while (!tryLockFile(lock.fd)) await sleep(LOCK_PAUSE_MS);
  const stamp = join(directory, '.prepared');
  const wanted = createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return directory;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await prepare(directory);
  writeFileSync(stamp, wanted);
  return directory;
}
