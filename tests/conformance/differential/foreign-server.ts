import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { tail } from '../harness/command.ts';
import type { RunningServer } from '../harness/server-under-test.ts';

const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 200;
/** Address space, so that a runaway query can't take the machine's memory with it. */
const MEMORY_KIB_MAX = 24 * 1024 * 1024;

export interface ForeignServer {
  readonly name: string;
  /** For a shell, without characters that mean something there. */
  readonly command: string;
  readonly port: number;
  /** Removed in the end. */
  readonly data: string;
}

/** Starts a server that is not ours and waits until it takes connections. Disposing of it ends its processes. */
export async function startForeignServer({
  name,
  command,
  port,
  data,
}: ForeignServer): Promise<RunningServer> {
  // A group of its own: wrappers start the server as a second process.
  const child = spawn('bash', ['-c', `ulimit -v ${MEMORY_KIB_MAX}; exec ${command}`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = tail(output + chunk);
    });
  }
  const server = {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.pid !== undefined) {
        const exited = once(child, 'exit');
        process.kill(-child.pid, 'SIGKILL');
        await exited;
      }
      await rm(data, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await server[Symbol.asyncDispose]();
      throw new Error(`${name} did not start\n${output}`);
    }
    await delay(READY_POLL_MS);
  }
  return server;
}

/** Whether anybody listens at a port of this machine. */
export async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  const connected = await promise;
  socket.destroy();
  return connected;
}
