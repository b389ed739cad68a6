import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ELANUS = resolve(import.meta.dirname, '../../clients/cli/src/elanus.ts');

/** A real server on a free port that can be killed and started again on its directory. */
export class ServerProcess implements AsyncDisposable {
  readonly data = mkdtempSync(join(tmpdir(), 'elanus-disaster-'));
  #child: ChildProcess | undefined;
  #address = '';

  private constructor() {}

  static async start(): Promise<ServerProcess> {
    const server = new ServerProcess();
    await server.startAgain();
    return server;
  }

  /** host:port of the gRPC service; another one after each start. */
  get address(): string {
    return this.#address;
  }

  get processId(): number {
    return this.#child!.pid!;
  }

  async startAgain(): Promise<void> {
    const child = spawn(
      process.execPath,
      [ELANUS, 'start', '--data', this.data, '--port', '0', '--admin-port', '0'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-4000);
    });
    this.#address = await new Promise((ready, reject) => {
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const grpc = /^elanus ready .*\bgrpc=(\S+)/m.exec(output)?.[1];
        if (grpc) ready(grpc);
      });
      child.once('exit', (code) => reject(new Error(`the server ended with code ${code}:\n${errors}`)));
    });
  }

  /** SIGKILL: the process gets no chance to write anything. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolveGone) => child.once('exit', resolveGone));
    child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }
}
