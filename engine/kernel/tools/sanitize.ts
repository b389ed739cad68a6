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
/** A program that takes longer hangs, and is told of by its name. */
const PROGRAM_MS_MAX = 10 * 60_000;

const execute = promisify(execFile);

/** Work that waits for one of `JOBS` places, oldest first. */
const waiting: (() => void)[] = [];
let placesLeft = JOBS;

/** Does `work` as soon as one of the places is free. */
async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (placesLeft === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else placesLeft--;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) placesLeft++;
    else next();
  }
}

/** The objects of those sources that are for this processor, in `directory`. */
async function compile(sources: string, directory: string, extra: readonly string[]): Promise<string[]> {
  const units = globSync(sources, { cwd: packageDirectory })
    .sort()
    .flatMap((source) => {
      const flags = flagsOf(source);
      const object = join(directory, `${basename(source, '.cc')}.o`);
      return flags === null ? [] : [{ source, flags, object }];
    });
  return await Promise.all(
    units.map(({ source, flags, object }) =>
      inTurn(async () => {
        await execute(compiler, [...flags, ...extra, '-c', source, '-o', object], { cwd: packageDirectory });
        return object;
      }),
    ),
  );
}

async function sanitize(sanitizer: string): Promise<void> {
  const directory = join(packageDirectory, 'build', `sanitize-${sanitizer.replace(',', '-')}`);
  mkdirSync(directory, { recursive: true });
  const extra = [
    `-fsanitize=${sanitizer}`,
    '-fno-sanitize-recover=all',
    '-O1',
    // Functions and lines, which a report names; variables take a fifth of the compiler's time.
    '-g1',
    '-fno-omit-frame-pointer',
  ];
  const [library, tests] = await Promise.all([
    compile(LIBRARY_SOURCES, directory, extra),
    compile(TEST_SOURCES, directory, extra),
  ]);
  await Promise.all(
    tests.map((test) =>
      inTurn(async () => {
        const program = join(directory, basename(test, '.o'));
        await execute(compiler, [...extra, '-pthread', ...library, test, '-o', program]);
        const { stdout } = await execute(program, { timeout: PROGRAM_MS_MAX });
        process.stdout.write(`${sanitizer}: ${stdout}`);
      }),
    ),
  );
}

// Both at once, so that a place is never empty while there is work for it.
await Promise.all(SANITIZERS.map(sanitize));
