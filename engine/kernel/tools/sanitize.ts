/** Builds the C++ tests with the sanitizers of address, undefined behaviour and threads, and runs them with each. */
import { execFile, execFileSync } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { compiler, flagsOf, LIBRARY_SOURCES, packageDirectory } from './compile.ts';

const SANITIZERS = ['address,undefined', 'thread'];
/** Compilers at a time. */
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
  const queue = [...units];
  const compileNext = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      await execute(compiler, [...next.flags, ...extra, '-c', next.source, '-o', next.object], {
        cwd: packageDirectory,
      });
  };
  await Promise.all(Array.from({ length: JOBS }, compileNext));
  return units.map(({ object }) => object);
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
  for (const test of await compile(TEST_SOURCES, directory, extra)) {
    const program = join(directory, basename(test, '.o'));
    execFileSync(compiler, [...extra, '-pthread', ...library, test, '-o', program], { stdio: 'inherit' });
    process.stdout.write(`${sanitizer}: `);
    execFileSync(program, { stdio: 'inherit' });
  }
}
