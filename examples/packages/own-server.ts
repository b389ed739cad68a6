import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ELANUS = resolve(import.meta.dirname, '../../clients/cli/src/elanus.ts');

/** A server on a free port and a new directory; both are gone when it is disposed of. */
export async function ownServer(): Promise<{ readonly address: string } & AsyncDisposable> {
  const data = mkdtempSync(join(tmpdir(), 'elanus-example-'));
  const args = [ELANUS, 'start', '--data', data, '--port', '0', '--admin-port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise<string>((ready, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const grpc = /^elanus ready .*\bgrpc=(\S+)/m.exec(output)?.[1];
      if (grpc) ready(grpc);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code} before it was ready`)));
  });
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolveEnd) => child.once('exit', resolveEnd));
      child.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}
