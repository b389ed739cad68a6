import { constants, enableCompileCache as enableAt } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps compiled modules, and TypeScript without its types, on disk between runs: within the workspace, or in the
 * user's cache directory when that can't be written. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` win.
 */
export function enableCompileCache(): void {
  const userCache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const directories = [
    join(import.meta.dirname, '../../../node_modules/.cache/elanus-compiled'),
    join(userCache, 'elanus', 'compiled'),
  ];
  for (const directory of directories) {
    const { status } = enableAt(process.env.NODE_COMPILE_CACHE || directory);
    if (status !== constants.compileCacheStatus.FAILED) return;
  }
}
