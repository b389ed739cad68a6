/**
 * Puts the modules of the command and of its threads into a few files: reading five hundred took more than half of the start
 * (docs/decisions/0027). Whatever else a module finds beside itself comes from the sources.
 */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const ROOT = dirname(import.meta.dirname);
const OUTPUT = join(ROOT, 'clients', 'cli', 'build');

/** Of other people's packages only these are taken in: every start needs them, and they are many files. */
const TAKEN_IN = /^(@elanus|@opentelemetry|commander|prom-client)(\/|$)/;

const packagesStayOutside: Plugin = {
  name: 'packages stay outside',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || TAKEN_IN.test(path) ? null : { path, external: true },
    );
  },
};

/** Threads that somebody waits for. */
const THREADS = [
  'engine/segment/src/threads/segment-thread.ts',
  'server/access/src/export/export-thread.ts',
  'server/access/src/import/unit-thread.ts',
  'server/worker/src/flush/encoder-thread.ts',
];
const THREAD_NAMES = new Set(THREADS.map((path) => basename(path, '.ts')));
/** Where a module finds a thread's first module: beside itself, as all files of the bundle are. */
const THREAD_PLACE = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g;

/** A module that asks for its own place hears that of its source. */
const placesOfSources: Plugin = {
  name: 'places of sources',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const place = (of: string) => JSON.stringify(relative(OUTPUT, of));
      const contents = readFileSync(path, 'utf8')
        .replace(THREAD_PLACE, (own, name) =>
          THREAD_NAMES.has(name) ? `new URL('./${name}.js', import.meta['url'])` : own,
        )
        .replaceAll('import.meta.url', `new URL(${place(path)}, import.meta.url).href`)
        .replaceAll('import.meta.dirname', `import.meta.dirname + '/' + ${place(dirname(path))}`);
      return { contents, loader: 'ts' };
    });
  },
};

rmSync(OUTPUT, { recursive: true, force: true });
const options: BuildOptions & { readonly metafile: true } = {
  entryNames: '[name]',
  outdir: OUTPUT,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  metafile: true,
  absWorkingDir: ROOT,
  logLevel: 'warning',
  plugins: [packagesStayOutside, placesOfSources],
  // Packages in CommonJS ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
};
const entries = (paths: readonly string[]) => ({ entryPoints: paths.map((path) => join(ROOT, path)) });
const command = await build({ ...options, ...entries(['clients/cli/src/elanus.ts']), splitting: true });
/** A file each: what the command reads at its start would be in more files if it shared them. */
const threads = await build({ ...options, ...entries(THREADS) });
const inputs = { ...command.metafile.inputs, ...threads.metafile.inputs };
const outputs = { ...command.metafile.outputs, ...threads.metafile.outputs };

/** What the command looks at before it trusts the bundle: each source of ours, when it was changed, how long it is. */
const sources = Object.keys(inputs)
  .filter((path) => !path.startsWith('node_modules/'))
  .map((path) => {
    const { mtimeMs, size } = statSync(join(ROOT, path));
    return [path, mtimeMs, size];
  });
writeFileSync(join(OUTPUT, 'sources.json'), JSON.stringify(sources));
console.log(`bundle: ${sources.length} modules in ${Object.keys(outputs).length / 2} files`);
