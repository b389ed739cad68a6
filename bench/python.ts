/** Python environments and processes of the programs that are compared with Elanus. */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What benchmarks keep from run to run: environments, data sets, indexes. */
export const CACHE = resolve(import.meta.dirname, '../node_modules/.cache');
export const VENVS = join(CACHE, 'bench-venvs');

/** A Python with exactly `packages` asked for, made on first use and again whenever that list changes. */
export function pythonWith(name: string, packages: readonly string[]): string {
  const folder = join(VENVS, name);
  const python = join(folder, 'bin/python');
  const marker = join(folder, 'installed');
  const wanted = packages.join('\n');
  if (textOf(marker) === wanted) return python;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(VENVS, { recursive: true });
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'inherit' });
  writeFileSync(marker, wanted);
  return python;
}

/** Starts a program that may not take the machine down: it gets `memoryKib` of address space and no more. */
export function spawnUnderMemoryLimit(
  memoryKib: number,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  return spawn('bash', ['-c', `ulimit -v ${memoryKib}; exec "$0" "$@"`, ...args], options);
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
