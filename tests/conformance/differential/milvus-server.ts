import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonEnvironment } from '../harness/clients.ts';
import type { RunningServer } from '../harness/server-under-test.ts';
import { accepts, startForeignServer } from './foreign-server.ts';

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
  const environment = await pythonEnvironment('milvus', ['milvus==2.3.5', 'setuptools==80.9.0']);
  for (const port of [etcdPort, ports['proxy-port']]) {
    if (await accepts(port)) throw new Error(`port ${port}, which Milvus needs, is taken`);
  }
  const data = await mkdtemp(join(tmpdir(), 'milvus-'));
  const options = Object.entries(ports).map(([name, port]) => `--${name} ${port}`);
  const command = `${join(environment, 'bin/milvus-server')} --debug --data ${data} ${options.join(' ')}`;
  const server = await startForeignServer({ name: 'Milvus', command, port: ports['proxy-port'], data });
  return Object.assign(server, { filesDirectory: join(data, 'data') });
}

const LITE_PORT = 29_630;

/** A milvus-lite by its own server, and the Python environment of it, which has a client too. */
export async function startMilvusLite(): Promise<RunningServer & { readonly python: string }> {
  const environment = await pythonEnvironment('milvus-lite', ['milvus-lite==3.2.2', 'pymilvus==3.0.2']);
  const data = await mkdtemp(join(tmpdir(), 'milvus-lite-'));
  const options = `--data-dir ${data} --host 127.0.0.1 --port ${LITE_PORT}`;
  const command = `${join(environment, 'bin/milvus-lite')} server ${options}`;
  const server = await startForeignServer({ name: 'milvus-lite', command, port: LITE_PORT, data });
  return Object.assign(server, { python: join(environment, 'bin/python') });
}
