import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from './cache.ts';
import { runCommand } from './command.ts';
import type { RunningServer } from './server-under-test.ts';

/** What `elanus migrate` says of one collection. */
export interface Certificate {
  readonly database: string;
  readonly collection: string;
  readonly rows: { readonly source: number; readonly target: number };
  readonly counted: { readonly source: number; readonly target: number };
  readonly checksum: { readonly source: string; readonly target: string };
  readonly overlap: Readonly<Record<string, number>>;
  readonly isEqual: boolean;
  readonly failure?: string;
}

type Addressed = Pick<RunningServer, 'address'>;

/** The command, for this Node, that leaves its progress and its certificate in the directory. */
export function migrationCommand(
  from: Addressed,
  to: Addressed,
  directory: string,
  more: readonly string[] = [],
): readonly string[] {
  return [
    join(repositoryRoot, 'clients/cli/bin/elanus.js'),
    'migrate',
    '--from',
    `http://${from.address}`,
    '--to',
    `http://${to.address}`,
    '--progress',
    join(directory, 'progress.json'),
    '--certificate',
    join(directory, 'certificate.json'),
    ...more,
  ];
}

/** Runs `elanus migrate` to its end. */
export async function migrated(
  from: Addressed,
  to: Addressed,
  directory: string,
  more: readonly string[] = [],
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const command = migrationCommand(from, to, directory, more);
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, command, { timeoutMs: 120_000 });
  return { exitCode, output: stdout + stderr };
}

export async function certificatesIn(directory: string): Promise<readonly Certificate[]> {
  return JSON.parse(await readFile(join(directory, 'certificate.json'), 'utf8')) as readonly Certificate[];
}
