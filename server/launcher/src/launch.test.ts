import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@elanus/runtime';
import manifest from '../package.json' with { type: 'json' };
import { readConfiguration } from './config/read-configuration.ts';
import { launch, type RunningServer } from './launch.ts';
import { StartError } from './start-error.ts';
import { ELANUS_VERSION } from './version.ts';

function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'elanus-launch-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function launched(data: string, port = '0'): Promise<RunningServer> {
  const configuration = await readConfiguration({ data, port, adminPort: '0' }, {}, '/');
  return await launch({ configuration, logger: silentLogger });
}

async function refusal(data: string, port?: string): Promise<string> {
  try {
    await (await launched(data, port)).close();
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    return error.message;
  }
  assert.fail('it started');
}

async function text(port: number, path: string): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

test('answers on both ports, and starts again on what it left', async () => {
  using data = temporaryDirectory();
  for (let run = 0; run < 2; run++) {
    await using server = await launched(join(data.path, 'deep', 'data'));
    assert.equal(await text(server.adminPort, '/healthz'), 'OK');
    assert.ok((await text(server.adminPort, '/')).includes(`location.hostname}:${server.grpcPort}`));
    assert.match(await text(server.grpcPort, '/'), /"name":"elanus"/);
    const metrics = await text(server.adminPort, '/metrics');
    for (const name of [
      'milvus_proxy_req_count',
      'milvus_proxy_req_latency',
      'elanus_event_loop_delay_p99_seconds',
      'process_resident_memory_bytes',
      'fsync',
      'rows',
    ]) {
      assert.ok(metrics.includes(name), `${name} is missing in /metrics`);
    }
  }
});

test('a data directory has one user at a time, and the second is told who the first is', async () => {
  using data = temporaryDirectory();
  await using _first = await launched(data.path);
  assert.equal(
    await refusal(data.path),
    `the data directory ${data.path} is in use by process ${process.pid}`,
  );
});

test('a port in use ends the start with one sentence, and the directory is free again', async () => {
  using data = temporaryDirectory();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  assert.equal(
    await refusal(data.path, String(port)),
    `port ${port} on 127.0.0.1 is in use by another process`,
  );
  other.close();
  await using _server = await launched(data.path);
});

test('a directory that is not ours is left as it is', async () => {
  using data = temporaryDirectory();
  writeFileSync(join(data.path, 'thesis.doc'), 'x');
  assert.match(await refusal(data.path), /holds thesis\.doc but no VERSION/);
  assert.deepEqual(readdirSync(data.path), ['thesis.doc']);
});

test('a directory of another version is left as it is', async () => {
  using data = temporaryDirectory();
  const version = join(data.path, 'VERSION');
  for (const [found, sentence] of [
    ['elanus data format 3\nc549fb4b\n', /written by a newer Elanus: its data format is 3/],
    ['elanus data format 3\nc549fb4a\n', /VERSION is damaged/],
    ['elanus data format 3\n', /VERSION is damaged/],
    ['elanus', /VERSION is damaged/],
  ] as const) {
    writeFileSync(version, found);
    assert.match(await refusal(data.path), sentence);
    assert.equal(readFileSync(version, 'utf8'), found);
    assert.deepEqual(readdirSync(data.path), ['VERSION']);
  }
});

test('a path through a file, or into a file, is refused with one sentence', async () => {
  using data = temporaryDirectory();
  const file = join(data.path, 'file');
  writeFileSync(file, '');
  assert.match(
    await refusal(join(file, 'data')),
    /^cannot use the data directory .*: a part of the path is a file$/,
  );
  assert.match(await refusal(file), /^cannot use the data directory .*: there is a file of this name$/);
});

test('a full disk ends a start with one sentence, and the directory can be used when there is room', async () => {
  using data = temporaryDirectory();
  for (const name of ['VERSION', 'OWNER']) {
    rmSync(join(data.path, name), { force: true });
    const written = join(data.path, `${name}.new`);
    symlinkSync('/dev/full', written);
    assert.equal(await refusal(data.path), `cannot use the data directory ${data.path}: the disk is full`);
    rmSync(written);
    await using _server = await launched(data.path);
  }
});

test('a place where nothing can be made is refused with one sentence', async () => {
  assert.match(
    await refusal('/proc/elanus/data'),
    /^cannot use the data directory .*: nothing can be made there$/,
  );
});

test('a first start that was killed before the version was written is no obstacle', async () => {
  using data = temporaryDirectory();
  mkdirSync(data.path, { recursive: true });
  writeFileSync(join(data.path, 'LOCK'), '1\n');
  writeFileSync(join(data.path, 'VERSION.new'), 'elanus da');
  await using _server = await launched(data.path);
  assert.ok(existsSync(join(data.path, 'VERSION')));
});

test('the version is that of the package', () => {
  assert.equal(ELANUS_VERSION, manifest.version);
});
