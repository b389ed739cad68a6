#!/usr/bin/env -S UV_THREADPOOL_SIZE=16 MALLOC_MMAP_THRESHOLD_=4194304 MALLOC_TRIM_THRESHOLD_=134217728 MALLOC_ARENA_MAX=4 GLIBC_TUNABLES=glibc.malloc.mxfast=0 node --v8-pool-size=0 --max-semi-space-size=8
/**
 * The command's first step, in plain JavaScript: a Node too old for TypeScript can say so here, and the compile cache
 * is on before the first TypeScript is read (it also keeps files without their types; loading the tool that takes
 * the types away costs 100 ms).
 *
 * The line above gives V8 as many helping threads as there are spare processors instead of four: on two processors
 * those four took a third of the inserts a second away and made pauses twice as long. Collections of young objects
 * come soon, because what fills memory hangs on few and small ones: the bytes of requests. Sixteen threads for files,
 * because each channel of the log that is being written holds one. Memory of requests (below 4 MiB a piece) stays with
 * the process up to 128 MiB: given back after each, it came anew page by page, which cost more than all else of an insert.
 * The threads share four areas of memory: with one each, of some twenty, what they had freed stayed with each of them. And
 * freed pieces are joined at once (mxfast): Node takes 64 KiB for each read of a socket, and each such wish had the small
 * pieces joined that had been freed since the last one.
 */
import { readFileSync, statSync } from 'node:fs';
import * as module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const NODE_MAJOR_MIN = 24;
/** Older ones do not know the flag below. */
const NODE_MAJOR_WITH_EXTERNAL_LIMIT = 26;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `elanus: needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.versions.node} (npm start and npx elanus bring their own).\n`,
  );
  process.exitCode = 1;
} else {
  growWithData();
  enableCompileCache();
  await import(isBundleCurrent() ? '../build/elanus.js' : '../src/elanus.ts');
}

/** The whole heap is looked through when memory has grown by a share of itself, not after each 64 MB of rows. */
function growWithData() {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_WITH_EXTERNAL_LIMIT)
    setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/** Whether the few files that tools/bundle.ts makes are there, and were made of the sources as they are now. */
function isBundleCurrent() {
  const workspace = new URL('../../../', import.meta.url);
  try {
    const sources = JSON.parse(readFileSync(new URL('../build/sources.json', import.meta.url), 'utf8'));
    return sources.every(([path, mtimeMs, size]) => {
      const source = statSync(new URL(path, workspace));
      return source.mtimeMs === mtimeMs && source.size === size;
    });
  } catch {
    return false;
  }
}

/** Within the workspace, else in the user's cache directory; NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE win. */
function enableCompileCache() {
  const inWorkspace = fileURLToPath(new URL('../../../node_modules/.cache/elanus-compiled', import.meta.url));
  const ofUser = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'elanus', 'compiled');
  for (const directory of process.env.NODE_COMPILE_CACHE ? [undefined] : [inWorkspace, ofUser]) {
    const { status } = module.enableCompileCache(directory);
    if (status === module.constants.compileCacheStatus.FAILED) continue;
    // Worker threads look for the variable.
    process.env.NODE_COMPILE_CACHE ??= directory;
    return;
  }
}
