/**
 * Starts the server once and stops it, so that its modules lie compiled in the cache and the first `npm start` of
 * a fresh clone is as quick as the second. A machine on which it does not start hears why, and goes on.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_MS_MAX = 30_000;

const data = mkdtempSync(join(tmpdir(), 'elanus-warm-start-'));
const server = spawn(
  process.execPath,
  ['clients/cli/bin/elanus.js', 'start', '--data', data, '--port', '0', '--admin-port', '0'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const giveUp = setTimeout(() => server.kill('SIGKILL'), START_MS_MAX);
server.stdout.once('data', () => server.kill('SIGTERM'));
const [code] = await once(server, 'close');
clearTimeout(giveUp);
rmSync(data, { recursive: true, force: true });
console.log(code === 0 ? 'warm start: modules compiled' : 'warm start: the server did not start, see above');
