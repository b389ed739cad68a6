/**
 * Compiles the kernel into build/Release/kernel.node with nothing but a C++20 compiler (`CXX`, else g++). Only what
 * has changed is compiled again: each object carries a digest of its sources, its flags and the compiler.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { interfaceDigest } from '../src/interface-digest.ts';
import { BINDING_SOURCES, compiler, flagsOf, LIBRARY_SOURCES, packageDirectory } from './compile.ts';

const JOBS = 2;
const LINK_FLAGS = ['-shared', '-pthread', '-static-libstdc++', '-static-libgcc'];
const outputDirectory = join(packageDirectory, 'build', 'Release');
const output = join(outputDirectory, 'kernel.node');

function fail(message: string): never {
  process.stderr.write(`kernel: ${message}\n`);
  process.exit(1);
}

function compilerVersion(): string {
  try {
    return execFileSync(compiler, ['--version'], { encoding: 'utf8' });
  } catch (cause) {
    return fail(
      `cannot run the C++ compiler "${compiler}": ${(cause as Error).message}\n` +
        'Install one that knows C++20 (Debian: apt-get install g++) or name yours in the variable CXX.',
    );
  }
}

interface Unit {
  readonly source: string;
  readonly object: string;
  readonly flags: readonly string[];
}

function units(): Unit[] {
  const sources = globSync([LIBRARY_SOURCES, BINDING_SOURCES], { cwd: packageDirectory }).sort();
  return sources.flatMap((source) => {
    const flags = flagsOf(source);
    const object = join(outputDirectory, `${basename(source, '.cc')}.o`);
    return flags === null ? [] : [{ source, object, flags }];
  });
}

function digestOf(unit: Unit, shared: string): string {
  const hash = createHash('sha256').update(shared).update(unit.flags.join('\0'));
  return hash.update(readFileSync(join(packageDirectory, unit.source))).digest('hex');
}

/** What every object depends on: all headers, and which compiler it is. */
function sharedDigest(): string {
  const hash = createHash('sha256').update(compilerVersion());
  for (const header of globSync('{include,src}/**/*.h', { cwd: packageDirectory }).sort())
    hash.update(header).update(readFileSync(join(packageDirectory, header)));
  return hash.digest('hex');
}

function readDigest(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function run(args: readonly string[]): Promise<void> {
  const child = spawn(compiler, args, { cwd: packageDirectory, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${compiler} ${args.join(' ')} ended with code ${code}`));
    });
  });
}

async function compile(unit: Unit, digest: string): Promise<void> {
  await run([...unit.flags, '-c', unit.source, '-o', unit.object]);
  writeFileSync(`${unit.object}.digest`, digest);
}

async function build(): Promise<void> {
  mkdirSync(outputDirectory, { recursive: true });
  const shared = sharedDigest();
  const all = units().map((unit) => ({ unit, digest: digestOf(unit, shared) }));
  const stale = all.filter(
    ({ unit, digest }) => !existsSync(unit.object) || readDigest(`${unit.object}.digest`) !== digest,
  );
  const linked = createHash('sha256')
    .update(LINK_FLAGS.join('\0') + all.map(({ digest }) => digest).join('\0'))
    .digest('hex');
  if (existsSync(output) && readDigest(`${output}.digest`) === linked) {
    writeFileSync(`${output}.interface`, interfaceDigest());
    return;
  }
  const queue = [...stale];
  const compileNext = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await compile(next.unit, next.digest);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, compileNext));
  const fresh = `${output}.new`;
  await run([...LINK_FLAGS, ...all.map(({ unit }) => unit.object), '-o', fresh]);
  // Processes that have the old file mapped keep it.
  renameSync(fresh, output);
  writeFileSync(`${output}.interface`, interfaceDigest());
  writeFileSync(`${output}.digest`, linked);
  process.stdout.write(`kernel: compiled ${stale.length} of ${all.length} files\n`);
}

await build().catch((error: unknown) => fail((error as Error).message));
