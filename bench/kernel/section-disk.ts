/** DISKANN from the disk, beside diskannpy over the same vectors and beside what the disk can read. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CACHE, pythonWith } from '../python.ts';

const VECTOR_BYTES = 128 * 4;
/** Of each row, beside what a code may take: with that, and its place, less than a fifth of the vectors in memory. */
const KEPT_BYTES = 24;
/** A node of ours, vector and links; theirs is as large. */
const NODE_BYTES = 8 + VECTOR_BYTES + 48 * 4;

const KERNEL = join(import.meta.dirname, '../../engine/kernel');
const PEER = join(import.meta.dirname, 'peers/diskann.py');
const FOLDER = join(CACHE, 'bench-disk');

/** Prints what each program prints. `rebuilds`: both indexes anew, though there are some of an earlier run. */
export function measureDisk(rows: number, rounds: number, rebuilds: boolean): void {
  const program = compiled();
  const folder = join(FOLDER, String(rows));
  const ours = (...args: readonly string[]) => run(program, args);
  if (!existsSync(join(folder, 'nearest'))) {
    mkdirSync(folder, { recursive: true });
    ours('make', folder, String(rows));
  }
  if (rebuilds || !existsSync(join(folder, 'index'))) ours('build', folder, String(KEPT_BYTES));
  if (rebuilds) rmSync(join(folder, 'diskann'), { recursive: true, force: true });
  const python = pythonWith('diskann', ['diskannpy==0.7.0']);
  const kept = String(Math.floor((rows * KEPT_BYTES) / NODE_BYTES));
  for (let round = 1; round <= rounds; round++) {
    console.log(`DISKANN, ${rows} x 128, round ${round}: the disk, ours, diskannpy`);
    ours('disk', folder);
    ours('search', folder);
    run(python, [PEER, folder, kept]);
  }
}

/** The bench program, with the objects of the last build of the kernel. */
function compiled(): string {
  mkdirSync(FOLDER, { recursive: true });
  const program = join(FOLDER, 'disk_bench');
  const library = globSync('src/cc/**/*.cc', { cwd: KERNEL });
  const objects = library
    .map((source) => join(KERNEL, 'build/Release', `${basename(source, '.cc')}.o`))
    .filter((object) => existsSync(object));
  const flags = ['-std=c++20', '-O2', '-pthread', `-I${join(KERNEL, 'include')}`];
  run(process.env.CXX ?? 'g++', [...flags, join(KERNEL, 'bench/disk_bench.cc'), ...objects, '-o', program]);
  return program;
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: 'inherit' });
}
