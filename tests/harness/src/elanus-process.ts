import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { untilReady } from './ready-line.ts';

/** What users run: the bundle, as long as it is of these sources. */
const ELANUS = resolve(import.meta.dirname, '../../../clients/cli/bin/elanus.js');
/** The promise of `elanus start`: SIGTERM to exit within 10 s. */
const STOP_WITHIN_MS = 10_000;

/**
 * A server from this checkout in a process of its own, on free ports and a new data directory: `elanus start`, as a
 * user runs it. Disposing of it kills the process and removes the data.
 */
export class ElanusProcess implements AsyncDisposable {
  /** Stays the same when the server is started again. */
  readonly dataDirectory: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #ready: ReadonlyMap<string, string> = new Map();

  private constructor(dataDirectory: string, environment: Readonly<Record<string, string>>) {
    this.dataDirectory = dataDirectory;
    this.#environment = environment;
  }

  /**
   * Resolves when the server is ready; rejects with the end of its log when it does not get there. `environment` is
   * added to that of this process, at each start.
   */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<ElanusProcess> {
    const server = new ElanusProcess(await mkdtemp(join(tmpdir(), 'elanus-test-')), environment);
    try {
      await server.startAgain();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** `host:port` of the gRPC service; another one after each start. */
  get address(): string {
    return this.#ready.get('grpc')!;
  }

  /** `host:port` of `/healthz` and `/metrics`. */
  get adminAddress(): string {
    return this.#ready.get('admin')!;
  }

  /** The value of a metric, of all its labels together; 0 where there is none of the name. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.adminAddress}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  get processId(): number {
    return this.#running().pid!;
  }

  /** Starts on the same data, after `stop` or `kill`; the ports are new ones. */
  async startAgain(): Promise<void> {
    if (this.#child !== undefined) throw new Error('stop or kill the server first');
    const child = spawn(
      process.execPath,
      [ELANUS, 'start', '--data', this.dataDirectory, '--port', '0', '--admin-port', '0'],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.#environment } },
    );
    this.#child = child;
    const forget = () => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once('exit', forget).once('error', forget);
    this.#ready = await untilReady(child);
  }

  /** Asks the process to stop by SIGTERM and returns its exit code; fails when that takes over 10 s. */
  async stop(): Promise<number | null> {
    const child = this.#running();
    const ended = once(child, 'exit') as Promise<[exitCode: number | null]>;
    child.kill('SIGTERM');
    const inTime = new AbortController();
    const late = delay(STOP_WITHIN_MS, undefined, { signal: inTime.signal }).catch(() => undefined);
    const outcome = await Promise.race([ended, late]);
    inTime.abort();
    if (outcome !== undefined) return outcome[0];
    await this.kill();
    throw new Error(`the server did not stop within ${STOP_WITHIN_MS} ms`);
  }

  /** Ends the process by SIGKILL: it gets no chance to finish or to write anything. Nothing happens when it has ended. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.dataDirectory, { recursive: true, force: true });
  }

  #running(): ChildProcess {
    if (this.#child === undefined) throw new Error('the server is not running');
    return this.#child;
  }
}
