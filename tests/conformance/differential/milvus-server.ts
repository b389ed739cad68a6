import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cachePath, prepareOnce } from '../harness/cache.ts';
import { mustRun, tail } from '../harness/command.ts';
import type { RunningServer } from '../harness/server-under-test.ts';
import { python } from '../harness/suite.ts';

const packages = ['milvus==2.3.5', 'setuptools==80.9.0'];
const readyTimeoutMs = 60_000;
/** Address space, so that a runaway query can't take the machine's memory with it. */
const memoryKiBMax = 24 * 1024 * 1024;

/** The embedded etcd keeps its usual port, whatever the options say. */
const etcdPort = 2379;
/** Milvus listens on all of these, moved away from where another one may be. */
const ports = {
  'proxy-port': 29_530,
  'root-coord-port': 23_100,
  'proxy-internal-port': 29_529,
  'query-coord-port': 29_531,
  'query-node-port': 21_123,
  'index-coord-port': 31_000,
  'index-node-port': 31_121,
  'data-coord-port': 23_333,
  'data-node-port': 31_124,
};

export interface RunningMilvus extends RunningServer {
  /** Where it looks for files that it imports. */
  readonly filesDirectory: string;
}

/** A real Milvus 2.3.5, whole in one wheel, on an empty directory. Disposing of it ends its processes. */
export async function startMilvus(): Promise<RunningMilvus> {
  const environment = await prepareOnce(cachePath('milvus'), packages, async (directory) => {
    await mustRun(python.command, ['-m', 'venv', directory]);
    await mustRun(join(directory, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...packages]);
  });
  for (const port of [etcdPort, ports['proxy-port']]) {
    if (await accepts(port)) throw new Error(`port ${port}, which Milvus needs, is taken`);
  }
  const data = await mkdtemp(join(tmpdir(), 'milvus-'));
  const options = Object.entries(ports).map(([name, port]) => `--${name} ${port}`);
  const command = `exec ${join(environment, 'bin/milvus-server')} --debug --data ${data} ${options.join(' ')}`;
  // A group of its own, because the wrapper starts the server as a second process.
  const child = spawn('bash', ['-c', `ulimit -v ${memoryKiBMax}; ${command}`], {
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
    address: `127.0.0.1:${ports['proxy-port']}`,
    filesDirectory: join(data, 'data'),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.pid !== undefined) {
        const exited = once(child, 'exit');
        process.kill(-child.pid, 'SIGKILL');
        await exited;
      }
      await rm(data, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  const deadline = performance.now() + readyTimeoutMs;
  while (!(await accepts(ports['proxy-port']))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await server[Symbol.asyncDispose]();
      throw new Error(`Milvus did not start\n${output}`);
    }
    await delay(500);
  }
  return server;
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  const connected = await promise;
  socket.destroy();
  return connected;
}
