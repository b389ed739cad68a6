import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_WITHIN_MS = 60_000;
/** So much of what a process wrote to stderr explains why it did not start. */
const ERROR_CHARACTERS_MAX = 4_000;

/**
 * The pairs of the ready line that `child`, whose stdout is a pipe, is about to write. Rejects when the process ends
 * before, or takes more than 60 s, with the end of its stderr when that is a pipe too.
 */
export async function untilReady(child: ChildProcess): Promise<ReadonlyMap<string, string>> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let errors = '';
  const remember = (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-ERROR_CHARACTERS_MAX);
  };
  const failed = (why: string) => reject(new Error(`the server ${why}\n${errors}`));
  const early = (exitCode: number | null, signal: NodeJS.Signals | null) =>
    failed(`ended with ${exitCode ?? signal} before it was ready`);
  const broken = (error: Error) => failed(`could not be started: ${error.message}`);
  const late = setTimeout(() => failed(`was not ready within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
  child.stderr?.on('data', remember);
  // `close`, not `exit`: by then everything that it wrote is here.
  child.once('close', early).once('error', broken);
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line.startsWith('elanus ready ')) resolve(line);
  });
  try {
    return parseReadyLine(await promise);
  } finally {
    clearTimeout(late);
    child.off('close', early).off('error', broken);
    child.stderr?.off('data', remember).resume();
  }
}

/** The `key=value` pairs of the line `elanus ready ...`; values with spaces are quoted. */
export function parseReadyLine(line: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const [, key, quoted, plain] of line.matchAll(/(\w+)=(?:("(?:[^"\\]|\\.)*")|(\S+))/g)) {
    if (key !== undefined) pairs.set(key, quoted === undefined ? (plain ?? '') : String(JSON.parse(quoted)));
  }
  return pairs;
}
