/** Emulators of Azure Blob and Google Cloud Storage; `npm run services` brings them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AzureSettings, GcsSettings } from '../settings/object-store-settings.ts';

/** Where they are installed. */
export const CACHE = resolve(import.meta.dirname, '../../../../node_modules/.cache/object-store');
export const AZURITE_VERSION = '3.37.0';
export const AZURITE = join(CACHE, 'azurite/node_modules/azurite/dist/src/blob/main.js');
export const FAKE_GCS_VERSION = 'v1.56.1';
export const FAKE_GCS = join(CACHE, 'fake-gcs-server');
const READY_WITHIN_MS = 30_000;
/** The account that every emulator of Azure has; its key is public. */
const ACCOUNT = 'devstoreaccount1';
const ACCOUNT_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface Emulator<Settings> extends AsyncDisposable {
  readonly settings: Settings;
}

/** Why there can be no Azurite here; `null` when there can. */
export function whyNoAzurite(): string | null {
  return existsSync(AZURITE) ? null : whyNot('azurite');
}

/** Why there can be no fake-gcs-server here; `null` when there can. */
export function whyNoFakeGcs(): string | null {
  return existsSync(FAKE_GCS) ? null : whyNot('fake-gcs-server');
}

function whyNot(name: string): string {
  return `no ${name}: npm run services -w @elanus/object-store`;
}

export async function startAzurite(): Promise<Emulator<AzureSettings>> {
  return await started(async (directory, port) => {
    const address = ['--blobHost', '127.0.0.1', '--blobPort', String(port)];
    const quiet = ['--silent', '--disableTelemetry', '--skipApiVersionCheck', '-l', directory];
    const settings: AzureSettings = {
      type: 'azure',
      endpoint: `http://127.0.0.1:${port}/${ACCOUNT}`,
      account: ACCOUNT,
      accountKey: ACCOUNT_KEY,
      bucket: 'elanus',
      prefix: '',
      requestTimeoutMs: 10_000,
    };
    return { command: process.execPath, args: [AZURITE, ...address, ...quiet], settings };
  });
}

export async function startFakeGcs(): Promise<Emulator<GcsSettings>> {
  return await started(async (_directory, port) => {
    const endpoint = `http://127.0.0.1:${port}`;
    const settings: GcsSettings = {
      type: 'gcs',
      endpoint,
      credentialsJson: null,
      bucket: 'elanus',
      prefix: '',
      requestTimeoutMs: 10_000,
    };
    const address = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)];
    const outside = ['-external-url', endpoint, '-public-host', `127.0.0.1:${port}`];
    const args = ['-backend', 'memory', '-log-level', 'error', ...address, ...outside];
    return { command: FAKE_GCS, args, settings };
  });
}

async function started<Settings>(
  recipe: (
    directory: string,
    port: number,
  ) => Promise<{ readonly command: string; readonly args: readonly string[]; readonly settings: Settings }>,
): Promise<Emulator<Settings>> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-emulator-'));
  const port = await freePort();
  const { command, args, settings } = await recipe(directory, port);
  const child = spawn(command, args, { cwd: directory, stdio: 'ignore' });
  const stop = async () => {
    await stopped(child);
    await rm(directory, { recursive: true, force: true });
  };
  const endMs = Date.now() + READY_WITHIN_MS;
  while ((await fetch(`http://127.0.0.1:${port}/`).catch(() => null)) === null) {
    if (Date.now() > endMs || child.exitCode !== null) {
      await stop();
      throw new Error(`${command} did not answer`);
    }
    await sleep(100);
  }
  return { settings, [Symbol.asyncDispose]: stop };
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
