import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { repositoryRoot } from './cache.ts';
import { tail } from './command.ts';

/** Where clients find a server: `host:port` of its gRPC service. */
export interface RunningServer extends AsyncDisposable {
  readonly address: string;
}

const readyTimeoutMs = 60_000;
/** The promise of `elanus start`: SIGTERM to exit within 10 s. */
const stopTimeoutMs = 10_000;

/**
 * A server from this checkout in a process of its own, on free ports and a data directory of its
 * own: `elanus start`, as a user runs it. Disposing of it kills the process and removes the data.
 */
export class ElanusServer implements RunningServer {
  readonly dataDirectory: string;
  #child: ChildProcess | undefined;
  #ready: ReadonlyMap<string, string> = new Map();
  #stderr = '';

  private constructor(dataDirectory: string) {
    this.dataDirectory = dataDirectory;
  }

  static async start(): Promise<ElanusServer> {
    const server = new ElanusServer(await mkdtemp(join(tmpdir(), 'elanus-conformance-')));
    try {
      await server.#spawn();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get address(): string {
    return this.#readyValue('grpc');
  }

  get adminAddress(): string {
    return this.#readyValue('admin');
  }

  /** What the server has logged since it was first started. */
  get log(): string {
    return this.#stderr;
  }

  /** Asks the process to stop by SIGTERM and returns its exit code; fails when that takes over 10 s. */
  async stop(): Promise<number | null> {
    const child = this.#requireChild();
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const late = new AbortController();
    const outcome = await Promise.race([
      exited.then(([exitCode]: (number | null)[]) => ({ exitCode: exitCode ?? null })),
      delay(stopTimeoutMs, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    if (outcome === undefined) {
      child.kill('SIGKILL');
      throw new Error(`the server did not stop within ${stopTimeoutMs} ms\n${tail(this.#stderr)}`);
    }
    this.#child = undefined;
    return outcome.exitCode;
  }

  /** Ends the process by SIGKILL: it gets no chance to finish or to write anything. */
  async kill(): Promise<void> {
    const child = this.#requireChild();
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    this.#child = undefined;
  }

  /** Starts again on the same data after `stop` or `kill`; the ports are new ones. */
  async startAgain(): Promise<void> {
    if (this.#child !== undefined) throw new Error('stop or kill the server first');
    await this.#spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.kill();
    await rm(this.dataDirectory, { recursive: true, force: true });
  }

  async #spawn(): Promise<void> {
    const options = ['--data', this.dataDirectory, '--port', '0', '--admin-port', '0'];
    const child = spawn(process.execPath, ['clients/cli/src/elanus.ts', 'start', ...options], {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk;
    });
    const { promise: ready, resolve, reject } = Promise.withResolvers<string>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('elanus ready ')) resolve(line);
    });
    const failed = (why: string) => reject(new Error(`the server ${why}\n${tail(this.#stderr)}`));
    const earlyExit = (exitCode: number | null, signal: NodeJS.Signals | null) => {
      this.#child = undefined;
      failed(`ended with ${exitCode ?? signal} before it was ready`);
    };
    child.once('exit', earlyExit);
    const timer = setTimeout(() => failed(`was not ready within ${readyTimeoutMs} ms`), readyTimeoutMs);
    try {
      this.#ready = parseReadyLine(await ready);
    } finally {
      clearTimeout(timer);
      child.off('exit', earlyExit);
    }
  }

  #readyValue(key: string): string {
    const value = this.#ready.get(key);
    if (value === undefined) throw new Error(`the ready line has no ${key}=`);
    return value;
  }

  #requireChild(): ChildProcess {
    if (this.#child === undefined) throw new Error('the server is not running');
    return this.#child;
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

/**
 * The server a suite talks to: one from this checkout, or the one that `ELANUS_CONFORMANCE_SERVER`
 * (`host:port`) names, which is how the programs are tried against a real Milvus.
 */
export async function serverUnderTest(): Promise<RunningServer> {
  const address = process.env.ELANUS_CONFORMANCE_SERVER;
  if (address === undefined) return await ElanusServer.start();
  return { address, [Symbol.asyncDispose]: async () => {} };
}
