import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addressText, readyLine } from './ready-line.ts';
import { barText } from './recovery-display.ts';

const ELANUS = join(import.meta.dirname, '../bin/elanus.js');

/** The command as a process of its own. */
class ElanusProcess implements AsyncDisposable {
  readonly data: string;
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ownsData: boolean;

  constructor(args: readonly string[], data?: string) {
    this.#ownsData = data === undefined;
    this.data = data ?? mkdtempSync(join(tmpdir(), 'elanus cli-'));
    const environment = { ...process.env, ELANUS_DATA: this.data, ELANUS_PORT: '0', ELANUS_ADMIN_PORT: '0' };
    this.child = spawn(process.execPath, [ELANUS, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  /** Resolves with the ready line's values. */
  async ready(): Promise<Readonly<Record<string, string>>> {
    while (!this.stdout.includes('\n')) {
      await Promise.race([
        once(this.child.stdout!, 'data'),
        this.ended().then(() => assert.fail(this.stderr)),
      ]);
    }
    const pairs = [...this.stdout.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S+)/g)];
    return Object.fromEntries(pairs.map(([, key, value]) => [key, value]));
  }

  /** The exit code. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended();
    if (this.#ownsData) rmSync(this.data, { recursive: true, force: true });
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`says once that it is ready, and ends with code 0 on ${signal}`, async () => {
    await using elanus = new ElanusProcess(['start']);
    const values = await elanus.ready();
    assert.deepEqual(Object.keys(values), ['grpc', 'admin', 'data', 'version', 'ms']);
    assert.match(values.grpc!, /^127\.0\.0\.1:\d+$/);
    assert.equal(values.data, JSON.stringify(elanus.data), 'a path with a space is quoted');
    assert.equal(await (await fetch(`http://${values.admin}/healthz`)).text(), 'OK');
    elanus.child.kill(signal);
    assert.equal(await elanus.ended(), 0, elanus.stderr);
    assert.match(elanus.stdout, /^elanus ready [^\n]*\n$/, 'nothing else is on stdout');
  });
}

test('a signal that comes twice is one, a later one ends at once what waits for a call', async () => {
  await using elanus = new ElanusProcess(['start']);
  const { grpc } = await elanus.ready();
  const client = connect(`http://${grpc}`).on('error', () => {});
  const half = client.request({
    ':method': 'POST',
    ':path': '/milvus.proto.milvus.MilvusService/GetVersion',
    'content-type': 'application/grpc',
  });
  half.on('error', () => {}).write(Buffer.alloc(3));
  const call = client.request({ ':method': 'POST', ':path': '/', 'content-type': 'application/grpc' });
  call.on('error', () => {});
  // What was sent before this answer has arrived, too.
  await once(call.resume(), 'close');
  elanus.child.kill('SIGINT');
  elanus.child.kill('SIGTERM');
  while (!elanus.stderr.includes('"stopping"')) await once(elanus.child.stderr!, 'data');
  const later = setInterval(() => elanus.child.kill('SIGINT'), 100);
  await elanus.ended();
  clearInterval(later);
  assert.equal(elanus.child.signalCode, 'SIGINT');
  client.destroy();
});

test('a second process on the directory stops with code 1 and names the first', async () => {
  await using first = new ElanusProcess(['start']);
  await first.ready();
  await using second = new ElanusProcess(['start'], first.data);
  assert.equal(await second.ended(), 1);
  assert.equal(
    second.stderr,
    `elanus: the data directory ${first.data} is in use by process ${first.child.pid}\n`,
  );
});

test('a killed process leaves no lock behind', async () => {
  await using first = new ElanusProcess(['start']);
  await first.ready();
  first.child.kill('SIGKILL');
  await first.ended();
  await using second = new ElanusProcess(['start'], first.data);
  await second.ready();
});

test('a port in use ends it with code 1 and one sentence', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  await using elanus = new ElanusProcess(['start', '--port', String(port)]);
  assert.equal(await elanus.ended(), 1);
  assert.equal(elanus.stderr, `elanus: port ${port} on 127.0.0.1 is in use by another process\n`);
  other.close();
});

test('files says what each file is once the server has ended, and not before', async () => {
  await using server = new ElanusProcess(['start']);
  await server.ready();
  await using early = new ElanusProcess(['files'], server.data);
  assert.equal(await early.ended(), 1);
  assert.match(early.stderr, /is in use by process/);
  server.child.kill('SIGTERM');
  await server.ended();
  await using files = new ElanusProcess(['files'], server.data);
  assert.equal(await files.ended(), 0, files.stderr);
  assert.match(files.stdout, /^ +MiB +rows +what +needed by +file\n/);
  assert.match(files.stdout, / catalog: .* the server +catalog\/catalog\.1\n/);
  assert.match(files.stdout, / the server +elanus-owner\n/);
  await using none = new ElanusProcess(['files', '--data', join(server.data, 'none')]);
  assert.equal(await none.ended(), 1);
  assert.match(none.stderr, /none is no data directory of Elanus\n$/);
});

test('files accept-loss says what it has accepted, or why it can accept nothing', async () => {
  await using server = new ElanusProcess(['start']);
  await server.ready();
  server.child.kill('SIGTERM');
  await server.ended();
  await using none = new ElanusProcess(['files', 'accept-loss', 'birds'], server.data);
  assert.equal(await none.ended(), 1);
  assert.equal(none.stderr, 'elanus: there is no collection birds\n');
});

const MISTAKES: readonly { args: readonly string[]; complaint: RegExp }[] = [
  { args: ['start', '--prot', '1'], complaint: /unknown option '--prot'\n\(Did you mean --port\?\)/ },
  { args: ['start', '--admin-prt=1'], complaint: /Did you mean --admin-port\?/ },
  { args: ['strat'], complaint: /unknown command 'strat'\n\(Did you mean start\?\)/ },
  { args: ['start', 'now'], complaint: /too many arguments/ },
  {
    args: ['start', '--port', 'x'],
    complaint: /^elanus: --port is "x", it must be a whole number from 0 to 65535\n$/,
  },
];

for (const { args, complaint } of MISTAKES) {
  test(`elanus ${args.join(' ')} ends with code 1 and says what was meant`, async () => {
    await using elanus = new ElanusProcess(args);
    assert.equal(await elanus.ended(), 1);
    assert.match(elanus.stderr, complaint);
    assert.equal(elanus.stdout, '');
  });
}

test('the ready line quotes what would be two words', () => {
  assert.equal(readyLine({ a: 'x', b: 'y z', c: 'q"r' }), 'elanus ready a=x b="y z" c="q\\"r"\n');
});

test('an address of IPv6 stands in brackets before its port, as clients take it', () => {
  assert.equal(addressText('127.0.0.1', 19_530), '127.0.0.1:19530');
  assert.equal(addressText('::1', 19_530), '[::1]:19530');
});

test('the bar is as full as the log is read', () => {
  const progress = {
    collectionsDone: 0,
    collectionsTotal: 2,
    share: 0.5,
    rows: 120_000,
    bytes: 61 * 1024 * 1024,
  };
  assert.equal(
    barText(progress),
    `reading the log [${'█'.repeat(15)}${' '.repeat(15)}] 50 %, 120,000 rows, 61 MiB`,
  );
});
