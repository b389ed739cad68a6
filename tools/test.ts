/**
 * Runs every `*.test.ts` of the packages but those of tests/conformance with node's test runner; arguments choose the
 * files, of all, whose path contains one of them.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const ROOT = join(import.meta.dirname, '..');
/** As many as there are processors at least; left alone, the runner keeps one of them to itself. */
const FILES_AT_A_TIME = 2;

const wanted = process.argv.slice(2);
const files = globSync('{foundation,storage,engine,server,clients,tests,tools,bench,examples}/**/*.test.ts', {
  cwd: ROOT,
  exclude: (path) => path.includes('node_modules'),
})
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .filter((file) => wanted.length > 0 || !file.startsWith('tests/conformance/'))
  .sort()
  // The disasters take longest: begun last, one of them would run on alone.
  .reverse();
if (files.length === 0) {
  process.stderr.write(`no test has ${wanted.join(' or ')} in its path\n`);
  process.exit(1);
}
// Taking the types off all modules again would be more than half of the work of most files. Servers share what they find.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules/.cache/elanus-compiled');
run({ files, cwd: ROOT, concurrency: FILES_AT_A_TIME })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
