/** Runs every `*.test.ts` of the packages with node's test runner; arguments narrow it to paths that contain one of them. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const wanted = process.argv.slice(2);
const files = globSync('{foundation,storage,engine,server,clients,tests,tools,bench,examples}/**/*.test.ts', {
  exclude: (path) => path.includes('node_modules'),
})
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .filter((file) => wanted.length > 0 || !file.startsWith('tests/conformance/'))
  .sort();
const run = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' });
process.exit(run.status ?? 1);
