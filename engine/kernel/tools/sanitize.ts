/** Builds the C++ tests with the sanitizers of address, undefined behaviour and threads, and runs them with each. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compiler, flagsOf, LIBRARY_SOURCES, packageDirectory } from './compile.ts';

const SANITIZERS = ['address,undefined', 'thread'];
const TEST_SOURCES = 'test/*_test.cc';

/** The objects of those sources that are for this processor, in `directory`. */
function compile(sources: string, directory: string, extra: readonly string[]): string[] {
  return globSync(sources, { cwd: packageDirectory })
    .sort()
    .flatMap((source) => {
      const flags = flagsOf(source);
      if (flags === null) return [];
      const object = join(directory, `${basename(source, '.cc')}.o`);
      execFileSync(compiler, [...flags, ...extra, '-c', source, '-o', object], {
        cwd: packageDirectory,
        stdio: 'inherit',
      });
      return [object];
    });
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
  const library = compile(LIBRARY_SOURCES, directory, extra);
  for (const test of compile(TEST_SOURCES, directory, extra)) {
    const program = join(directory, basename(test, '.o'));
    execFileSync(compiler, [...extra, '-pthread', ...library, test, '-o', program], { stdio: 'inherit' });
    process.stdout.write(`${sanitizer}: `);
    execFileSync(program, { stdio: 'inherit' });
  }
}
