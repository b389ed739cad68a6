import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { ElanusProcess } from './elanus-process.ts';
import { parseReadyLine, untilReady } from './ready-line.ts';

test('starts a server, ends it in both ways, starts it again and leaves nothing behind', async () => {
  const server = await ElanusProcess.start();
  const first = server.processId;
  const answer = await fetch(`http://${server.adminAddress}/healthz`);
  assert.equal(await answer.text(), 'OK');
  assert.equal(await server.stop(), 0);
  assert.throws(() => server.processId, /not running/);
  await server.startAgain();
  assert.notEqual(server.processId, first);
  await assert.rejects(server.startAgain(), /stop or kill the server first/);
  await server.kill();
  await server.kill();
  await server[Symbol.asyncDispose]();
  assert.equal(existsSync(server.dataDirectory), false);
});

test('says why a process did not become ready', async () => {
  const child = spawn(process.execPath, ['-e', 'console.error("no disk"); process.exit(3)'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await assert.rejects(untilReady(child), /ended with 3 before it was ready\nno disk/);
  const missing = spawn('/nonexistent', { stdio: ['ignore', 'pipe', 'pipe'] });
  await assert.rejects(untilReady(missing), /could not be started: .*ENOENT/);
});

test('reads the pairs of the ready line, quoted values too', () => {
  const line = String.raw`elanus ready grpc=127.0.0.1:19530 admin=127.0.0.1:9091 data="/srv/my \"data\"" version=0.1.0 ms=312`;
  assert.deepEqual(Object.fromEntries(parseReadyLine(line)), {
    grpc: '127.0.0.1:19530',
    admin: '127.0.0.1:9091',
    data: '/srv/my "data"',
    version: '0.1.0',
    ms: '312',
  });
});
