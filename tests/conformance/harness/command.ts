import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** After this long the command is killed and the call fails. */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, whatever its exit code. Fails when it can't start or takes too long. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMs = 300_000 } = options;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const { promise: ended, resolve, reject } = Promise.withResolvers<CommandResult>();
  child.once('error', reject);
  child.once('close', (exitCode, signal) => {
    resolve({ exitCode, signal, stdout: text(stdout), stderr: text(stderr) });
  });
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(
      new Error(`${commandLine(command, args)} did not end within ${timeoutMs} ms\n${tail(text(stderr))}`),
    );
  }, timeoutMs);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a command that must succeed, and returns what it printed. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(command, args, options);
  if (result.exitCode === 0) return result.stdout;
  throw new Error(
    `${commandLine(command, args)} ended with ${result.exitCode ?? result.signal}\n` +
      `${tail(result.stdout)}\n${tail(result.stderr)}`,
  );
}

function commandLine(command: string, args: readonly string[]): string {
  return [command, ...args].join(' ');
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** The end of a long output: what went wrong usually stands there. */
export function tail(output: string, charactersMax = 4000): string {
  return output.length <= charactersMax ? output : `…${output.slice(-charactersMax)}`;
}
