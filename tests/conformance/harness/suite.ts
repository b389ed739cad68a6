import { suite as nodeSuite, type SuiteContext, type TestContext } from 'node:test';
import { runCommand } from './command.ts';

export type SuiteName = 'pymilvus' | 'node' | 'go' | 'java' | 'restart' | 'indexes' | 'frameworks';

/** A program of another language that a suite needs, and how to see that it is there. */
export interface Toolchain {
  readonly name: string;
  readonly command: string;
  readonly versionArgs: readonly string[];
}

export const python: Toolchain = {
  name: 'Python 3',
  command: process.env.ELANUS_PYTHON ?? 'python3',
  versionArgs: ['--version'],
};
export const go: Toolchain = { name: 'Go', command: 'go', versionArgs: ['version'] };
export const java: Toolchain = { name: 'a JDK', command: 'javac', versionArgs: ['-version'] };
export const maven: Toolchain = { name: 'Maven', command: 'mvn', versionArgs: ['--version'] };

/**
 * A suite that runs unless `ELANUS_CONFORMANCE` (names with commas between) leaves it out, or a
 * toolchain is missing. The latter is a failure where CI is set: there nothing may be left out
 * unseen.
 */
export async function conformanceSuite(
  name: SuiteName,
  title: string,
  toolchains: readonly Toolchain[],
  body: (s: SuiteContext) => void | Promise<void>,
): Promise<void> {
  const reason = leftOut(name) ?? (await missing(toolchains));
  if (reason === undefined) await nodeSuite(title, body);
  else await nodeSuite(title, { skip: reason }, () => {});
}

function leftOut(name: SuiteName): string | undefined {
  const wanted = process.env.ELANUS_CONFORMANCE?.split(',');
  return wanted === undefined || wanted.includes(name) ? undefined : `ELANUS_CONFORMANCE has no ${name}`;
}

async function missing(toolchains: readonly Toolchain[]): Promise<string | undefined> {
  for (const { name, command, versionArgs } of toolchains) {
    const found = await runCommand(command, versionArgs).then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );
    if (found) continue;
    const reason = `${name} (${command}) is not installed`;
    if (process.env.CI === 'true') throw new Error(reason);
    return reason;
  }
  return undefined;
}

export type { TestContext };
