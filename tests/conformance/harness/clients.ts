import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, prepareOnce } from './cache.ts';
import { mustRun } from './command.ts';
import type { Program } from './program.ts';
import { python } from './suite.ts';

const programs = join(import.meta.dirname, '../programs');
const installTimeoutMs = 600_000;

/** Installs pymilvus into an environment of its own and returns how to run programs with it. */
export async function pymilvus(version: string): Promise<(program: string) => Program> {
  // pymilvus 2.4 imports pkg_resources, which setuptools has dropped since.
  const packages = [`pymilvus==${version}`, 'numpy==2.2.6', 'ml_dtypes==0.5.1', 'setuptools==80.9.0'];
  return await pythonPrograms(`pymilvus-${version}`, packages);
}

/** Installs packages into a Python environment of its own and returns how to run programs with them. */
export async function pythonPrograms(
  name: string,
  packages: readonly string[],
): Promise<(program: string) => Program> {
  const directory = await pythonEnvironment(name, packages);
  return (program) => ({
    command: join(directory, 'bin/python'),
    args: ['-W', 'ignore', join(programs, 'python', program)],
    environment: { PYTHONDONTWRITEBYTECODE: '1' },
  });
}

/** A Python environment of its own with these packages: its folder, with programs in `bin`. */
export async function pythonEnvironment(name: string, packages: readonly string[]): Promise<string> {
  return await prepareOnce(
    cachePath('python', name),
    [...packages, await mustRun(python.command, ['--version'])],
    async (directory) => {
      await mustRun(python.command, ['-m', 'venv', directory], { timeoutMs: installTimeoutMs });
      const pip = join(directory, 'bin/python');
      await mustRun(pip, ['-m', 'pip', 'install', '--quiet', ...packages], { timeoutMs: installTimeoutMs });
    },
  );
}

/** Installs one version of the Node SDK and returns how to run programs with it. */
export async function nodeSdk(version: string): Promise<(program: string) => Program> {
  return await nodePrograms(version, [`@zilliz/milvus2-sdk-node@${version}`]);
}

/** Installs npm packages, the Node SDK among them, into a folder and returns how to run programs with them. */
export async function nodePrograms(
  name: string,
  packages: readonly string[],
): Promise<(program: string) => Program> {
  const directory = await prepareOnce(cachePath('node', name), packages, async (directory) => {
    await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true }));
    // Peers are those that are named: the frameworks list hundreds that nobody needs at once.
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
    await mustRun('npm', [...args, ...packages], { cwd: directory, timeoutMs: installTimeoutMs });
  });
  return (program) => ({
    command: process.execPath,
    args: [join(programs, 'node', program), directory],
  });
}

/** Builds the Go program with the official client and returns how to run one of its modes. */
export async function goProgram(): Promise<(mode: string) => Program> {
  const source = join(programs, 'go');
  const recipe = [await mustRun('go', ['version']), ...(await sources(source, '*'))];
  const directory = await prepareOnce(cachePath('go'), recipe, async (directory) => {
    const args = ['build', '-o', join(directory, 'conformance'), '.'];
    await mustRun('go', args, { cwd: source, timeoutMs: installTimeoutMs });
  });
  return (mode) => ({ command: join(directory, 'conformance'), args: [mode] });
}

/** Compiles the Java program against the official SDK and returns how to run one of its classes. */
export async function javaProgram(): Promise<(mainClass: string) => Program> {
  const source = join(programs, 'java');
  const recipe = [await mustRun('java', ['--version']), ...(await sources(source, '**/*.{xml,java}'))];
  const directory = await prepareOnce(cachePath('java'), recipe, async (directory) => {
    await mkdir(directory, { recursive: true });
    const goals = ['compile', 'dependency:build-classpath'];
    const settings = [
      `-Dconformance.build=${directory}`,
      `-Dmdep.outputFile=${join(directory, 'classpath')}`,
    ];
    await mustRun('mvn', ['-q', '-B', '-f', join(source, 'pom.xml'), ...goals, ...settings], {
      timeoutMs: installTimeoutMs,
    });
  });
  const libraries = await readFile(join(directory, 'classpath'), 'utf8');
  const classpath = [join(directory, 'classes'), libraries.trim()].join(':');
  return (mainClass) => ({ command: 'java', args: ['-cp', classpath, mainClass] });
}

async function sources(directory: string, pattern: string): Promise<string[]> {
  const files = globSync(pattern, { cwd: directory }).sort();
  return await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')));
}
