/** Builds the C++ tests with the sanitizers of address, undefined behaviour and threads, and runs them with each. */
import { execFile } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { compiler, flagsOf, LIBRARY_SOURCES, packageDirectory } from './compile.ts';

const SANITIZERS = ['address,undefined', 'thread'];
/** Compilers, and programs, at a time. */
const JOBS = 2;
const TEST_SOURCES = 'test/*_test.cc';

const execute = promisify(execFile);

/** The objects of those sources that are for this processor, in `directory`. */
async function compile(sources: string, directory: string, extra: readonly string[]): Promise<string[]> {
  const units = globSync(sources, { cwd: packageDirectory })
    .sort()
    .flatMap((source) => {
      const flags = flagsOf(source);
      const object = join(directory, `${basename(source, '.cc')}.o`);
      return flags === null ? [] : [{ source, flags, object }];
    });
  await forEach(units, async ({ source, flags, object }) => {
    await execute(compiler, [...flags, ...extra, '-c', source, '-o', object], { cwd: packageDirectory });
  });
  return units.map(({ object }) => object);
}

/** Does `work` for all of `items`, a few at a time, in their order. */
async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items];
  const next = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: JOBS }, next));
}

for (const sanitizer of SANITIZERS) {
  const directory = join(packageDirectory, 'build', `sanitize-${sanitizer.replace(',', '-')}`);
  mkdirSync(directory, { recursive: true });
  const extra = [
    `-fsanitize=${sanitizer}`,
    '-fno-sanitize-recover=all',
    '-O1',
    '-g',
    '-fno-omit-frame-pointer',
  ];
  const library = await compile(LIBRARY_SOURCES, directory, extra);
  await forEach(await compile(TEST_SOURCES, directory, extra), async (test) => {
    const program = join(directory, basename(test, '.o'));
    await execute(compiler, [...extra, '-pthread', ...library, test, '-o', program]);
    const { stdout } = await execute(program);
    process.stdout.write(`${sanitizer}: ${stdout}`);
  });
}
