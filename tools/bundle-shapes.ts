/**
 * Puts what filters use of `jsts` into one file, `engine/expr/build/shapes.cjs`: loading its modules one by one holds the
 * event loop for 90 ms, loading the file for 3 when it lies in the compile cache, else for 13 (docs/decisions/0049).
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { SHAPE_MODULES } from '../engine/expr/src/shape-modules.ts';

const EXPR = join(dirname(import.meta.dirname), 'engine', 'expr');
const OUTPUT = join(EXPR, 'build', 'shapes.cjs');

rmSync(OUTPUT, { force: true });
const contents = Object.entries(SHAPE_MODULES)
  .map(([name, path]) => `export { default as ${name} } from '${path}';`)
  .join('\n');
const { metafile } = await build({
  stdin: { contents, resolveDir: EXPR },
  outfile: OUTPUT,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  metafile: true,
  logLevel: 'warning',
});
console.log(`shapes: ${Object.keys(metafile.inputs).length} modules in one file`);
