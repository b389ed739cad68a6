/** Builds the C++ test with the sanitizers of address, undefined behaviour and threads, and runs it with each. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compiler, flagsOf, LIBRARY_SOURCES, packageDirectory } from './compile.ts';

const SANITIZERS = ['address,undefined', 'thread'];

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
  const objects: string[] = [];
  for (const source of [
    ...globSync(LIBRARY_SOURCES, { cwd: packageDirectory }).sort(),
    'test/kernel_test.cc',
  ]) {
    const flags = flagsOf(source);
    if (flags === null) continue;
    const object = join(directory, `${basename(source, '.cc')}.o`);
    execFileSync(compiler, [...flags, ...extra, '-c', source, '-o', object], {
      cwd: packageDirectory,
      stdio: 'inherit',
    });
    objects.push(object);
  }
  const program = join(directory, 'kernel_test');
  execFileSync(compiler, [...extra, '-pthread', ...objects, '-o', program], { stdio: 'inherit' });
  process.stdout.write(`${sanitizer}: `);
  execFileSync(program, { stdio: 'inherit' });
}
