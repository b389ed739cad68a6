/** A real S3 server for tests: Ceph's gateway from Debian's packages, on a store in memory. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { S3Settings } from '../settings/object-store-settings.ts';

const run = promisify(execFile);
const PROGRAMS = ['radosgw', 'ceph', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph-authtool', 'monmaptool'];
const CREDENTIALS = { accessKeyId: 'elanus', secretAccessKey: 'elanus-secret' };
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;
const STORE_BYTES = 2 * 1024 ** 3;

export interface S3Server extends AsyncDisposable {
  readonly settings: S3Settings;
}

/** Why there can be no server here; `null` when there can. `npm run services` makes it so on Debian, as root. */
export function whyNoRadosgw(): string | null {
  const missing = PROGRAMS.filter((program) => !existsSync(join('/usr/bin', program)));
  if (missing.length === 0) return null;
  return `no ${missing.join(', ')}: npm run services -w @elanus/object-store`;
}

/** Starts monitor, store and gateway under a directory of their own, and resolves when the gateway answers. */
export async function startRadosgw(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-radosgw-'));
  const children: ChildProcess[] = [];
  async function stop(): Promise<void> {
    for (const child of children.reverse()) await stopped(child);
    await rm(directory, { recursive: true, force: true });
  }
  try {
    const port = await startDaemons(directory, children);
    const settings: S3Settings = {
      type: 's3',
      endpoint: `http://127.0.0.1:${port}`,
      region: 'default',
      credentials: CREDENTIALS,
      usePathStyle: true,
      caCertificate: null,
      bucket: 'elanus',
      prefix: '',
      requestTimeoutMs: 10_000,
    };
    return { settings, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startDaemons(directory: string, children: ChildProcess[]): Promise<number> {
  const [v2, v1, http] = [await freePort(), await freePort(), await freePort()];
  const fsid = randomUUID();
  const osd = randomUUID();
  const conf = join(directory, 'ceph.conf');
  const keyring = join(directory, 'keyring');
  const monmap = join(directory, 'monmap');
  const monitor = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
  for (const folder of ['mon', 'osd', 'run']) await mkdir(join(directory, folder));
  await writeFile(conf, configuration(directory, { fsid, monitor, http }));
  const options = { cwd: directory, timeout: READY_WITHIN_MS };
  const daemon = (program: string, args: readonly string[]) => {
    const child = spawn(program, ['-c', conf, '-f', ...args], { cwd: directory, stdio: 'ignore' });
    children.push(child);
  };

  for (const name of ['mon.', 'client.admin', 'client.rgw', 'osd.0']) {
    const create = existsSync(keyring) ? [] : ['--create-keyring'];
    const daemons = ['mon', 'osd', 'mgr', 'mds'].flatMap((what) => ['--cap', what, 'allow *']);
    await run('ceph-authtool', [keyring, ...create, '--gen-key', '-n', name, ...daemons], options);
  }
  await run('monmaptool', ['--create', '--fsid', fsid, '--addv', 'a', monitor, monmap], options);
  await run('ceph-mon', ['-c', conf, '--mkfs', '-i', 'a', '--monmap', monmap, '--keyring', keyring], options);
  daemon('ceph-mon', ['-i', 'a']);
  const ceph = (...args: string[]) => run('ceph', ['-c', conf, '-k', keyring, ...args], options);
  await ceph('osd', 'new', osd, '0');
  await run('ceph-osd', ['-c', conf, '-i', '0', '--mkfs', '--osd-uuid', osd], options);
  await ceph('auth', 'import', '-i', keyring);
  daemon('ceph-osd', ['-i', '0']);
  daemon('radosgw', ['-n', 'client.rgw']);
  const key = [`--access-key=${CREDENTIALS.accessKeyId}`, `--secret-key=${CREDENTIALS.secretAccessKey}`];
  const user = ['user', 'create', '--uid=elanus', '--display-name=elanus', ...key];
  await run('radosgw-admin', ['-c', conf, '-n', 'client.rgw', ...user], options);
  await answering(http);
  return http;
}

function configuration(
  directory: string,
  { fsid, monitor, http }: { readonly fsid: string; readonly monitor: string; readonly http: number },
): string {
  return `[global]
fsid = ${fsid}
mon host = ${monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
osd objectstore = memstore
memstore device bytes = ${STORE_BYTES}
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
pid file = ${directory}/run/$name.pid
log file = ${directory}/run/$name.log
mon data = ${directory}/mon
osd data = ${directory}/osd
keyring = ${directory}/keyring
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${http} tcp_nodelay=1
`;
}

async function answering(port: number): Promise<void> {
  const endMs = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if (response !== null) return;
    if (Date.now() > endMs) throw new Error('the S3 server did not answer in time');
    await sleep(200);
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
