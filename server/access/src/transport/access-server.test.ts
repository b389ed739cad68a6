import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { collectionNotFound } from '@elanus/model';
import { decode, encode, type Method, methods, SERVICE_PATH } from '@elanus/proto';
import { LoopShare, noMetrics, silentLogger, systemClock } from '@elanus/runtime';
import { Client, credentials, status as grpcStatus, Metadata, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import type { Handlers } from '../handler.ts';
import { AccessServer } from './access-server.ts';

const RECEIVE_BYTES_MAX = 1024 * 1024;

async function started(handlers: Handlers): Promise<AccessServer & AsyncDisposable> {
  const server = await AccessServer.start({
    handlers,
    host: '127.0.0.1',
    port: 0,
    root: { describeCollection: () => Promise.reject(collectionNotFound('default', 'any')) },
    limits: {
      nameBytesMax: 255,
      receiveBytesMax: RECEIVE_BYTES_MAX,
      sendBytesMax: RECEIVE_BYTES_MAX,
      restRequestMs: 30_000,
      restInt64: 'number',
    },
    clock: systemClock,
    share: new LoopShare(systemClock),
    logger: silentLogger,
    metrics: noMetrics,
    version: '9.9.9',
  });
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close({ graceMs: 0 }) });
}

class RawClient implements Disposable {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  call(name: string, request: Uint8Array, metadata = new Metadata(), signal?: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        SERVICE_PATH + name,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes) => bytes,
        request,
        metadata,
        (error, answer) => (error === null && answer !== undefined ? resolve(answer) : reject(error)),
      );
      signal?.addEventListener('abort', () => call.cancel());
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

const EMPTY = new Uint8Array();

/** The status in an answer of `method`. */
function statusIn(method: Method, answer: Uint8Array) {
  const message = decode(method.response, answer) as object;
  const status = method.status === 'self' ? message : (message as Record<string, unknown>)[method.status!];
  return status as ReturnType<typeof decode<'common.Status'>> | undefined;
}

function methodNamed(name: string): Method {
  return methods.find((method) => method.name === name)!;
}

test('a method without a handler answers in its own response type with code 10', async () => {
  await using server = await started({});
  using client = new RawClient(server.port);
  const leftToGrpc: string[] = [];
  for (const method of methods) {
    try {
      const status = statusIn(method, await client.call(method.name, EMPTY));
      assert.equal(status?.code, 10, method.name);
      assert.equal(status?.errorCode, 1, method.name);
      assert.equal(status?.reason, `${method.name}: service unimplemented`);
    } catch (error) {
      if ((error as ServiceError).code !== grpcStatus.UNIMPLEMENTED) throw error;
      leftToGrpc.push(method.name);
    }
  }
  assert.deepEqual(leftToGrpc.sort(), ['CreateReplicateStream', 'Dummy', 'GetReplicateInfo']);
});

test('a success carries an empty status where clients look for one', async () => {
  await using server = await started({ GetVersion: async () => ({ version: '2.6.0' }) });
  using client = new RawClient(server.port);
  const answer = decode('milvus.GetVersionResponse', await client.call('GetVersion', EMPTY));
  assert.equal(answer.version, '2.6.0');
  assert.equal(answer.status?.code, 0);
});

test('an error of a handler becomes a status, our own mistakes become code 65535 without their text', async () => {
  await using server = await started({
    DropCollection: () => Promise.reject(collectionNotFound('default', 'c')),
    HasCollection: () => {
      throw new TypeError('secret');
    },
  });
  using client = new RawClient(server.port);
  const dropped = statusIn(methodNamed('DropCollection'), await client.call('DropCollection', EMPTY));
  assert.equal(dropped?.code, 100);
  assert.match(dropped!.reason, /^collection not found/);
  const has = statusIn(methodNamed('HasCollection'), await client.call('HasCollection', EMPTY));
  assert.equal(has?.code, 65535);
  assert.equal(has?.errorCode, 1);
  assert.doesNotMatch(has!.reason, /secret/);
});

test('the memory of a request goes with the answer where nobody keeps any of it', async () => {
  const kept: Uint8Array[] = [];
  const outcomes = [async () => ({}), () => Promise.reject(collectionNotFound('default', 'c'))];
  await using server = await started({
    Search: (request) => {
      kept.push(request.placeholderGroup!);
      return outcomes[kept.length - 1]!();
    },
  });
  using client = new RawClient(server.port);
  const request = encode('milvus.SearchRequest', { placeholderGroup: new Uint8Array(100_000) });
  assert.equal(statusIn(methodNamed('Search'), await client.call('Search', request))?.code, 0);
  assert.equal(statusIn(methodNamed('Search'), await client.call('Search', request))?.code, 100);
  const [answered, failed] = kept;
  assert.equal(answered!.length, 0);
  assert.deepEqual(failed, Buffer.alloc(100_000));
});

test('a damaged message is answered with code 1100', async () => {
  await using server = await started({ DropCollection: async () => ({}) });
  using client = new RawClient(server.port);
  const answer = await client.call('DropCollection', Buffer.from('0aff', 'hex'));
  const status = statusIn(methodNamed('DropCollection'), answer);
  assert.equal(status?.code, 1100);
  assert.match(status!.reason, /^cannot read milvus\.DropCollectionRequest: .*: invalid parameter$/);
});

test('the database is the request’s, else the header’s, else `default`', async () => {
  const seen: string[] = [];
  await using server = await started({
    HasCollection: async (_, { database }) => {
      seen.push(database);
      return {};
    },
  });
  using client = new RawClient(server.port);
  const named = encode('milvus.HasCollectionRequest', { dbName: 'named' });
  const header = new Metadata();
  header.set('dbname', 'header');
  const emptyHeader = new Metadata();
  emptyHeader.set('dbname', '');
  await client.call('HasCollection', named, header);
  await client.call('HasCollection', EMPTY, header);
  await client.call('HasCollection', EMPTY, emptyHeader);
  await client.call('HasCollection', EMPTY);
  assert.deepEqual(seen, ['named', 'header', 'default', 'default']);
});

test('a call whose client has gone is aborted', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: aborted, resolve: abort } = Promise.withResolvers<unknown>();
  await using server = await started({
    GetVersion: async (_, { signal }) => {
      begin();
      signal.addEventListener('abort', () => abort(signal.reason));
      await aborted;
      return {};
    },
  });
  using client = new RawClient(server.port);
  const goAway = new AbortController();
  const call = client.call('GetVersion', EMPTY, new Metadata(), goAway.signal);
  await begun;
  goAway.abort();
  await assert.rejects(call);
  assert.equal(((await aborted) as { code: number }).code, 10_000);
});

test('a message above the limit is refused with RESOURCE_EXHAUSTED and both sizes', async () => {
  await using server = await started({ DropCollection: async () => ({}) });
  using client = new RawClient(server.port);
  const tooLarge = new Uint8Array(RECEIVE_BYTES_MAX + 1);
  await assert.rejects(client.call('DropCollection', tooLarge), (error: ServiceError) => {
    assert.equal(error.code, grpcStatus.RESOURCE_EXHAUSTED);
    assert.match(error.details, /1048577.*1048576/);
    return true;
  });
});

test('a call that takes longer than its deadline is answered by it, and aborted', async () => {
  const { promise: aborted, resolve: abort } = Promise.withResolvers<unknown>();
  await using server = await started({
    GetVersion: async (_, { signal }) => {
      signal.addEventListener('abort', () => abort(signal.reason));
      await aborted;
      return {};
    },
  });
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': `${SERVICE_PATH}GetVersion`,
    'content-type': 'application/grpc',
    'grpc-timeout': '20m',
  });
  stream.end(Buffer.from('0000000000', 'hex'));
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  assert.equal(Number(headers['grpc-status']), grpcStatus.DEADLINE_EXCEEDED);
  assert.equal(((await aborted) as { code: number }).code, 10_000);
  session.destroy();
});

test('an answer larger than the limit is not sent', async () => {
  const version = 'x'.repeat(RECEIVE_BYTES_MAX + 1);
  await using server = await started({ GetVersion: async () => ({ version }) });
  using client = new RawClient(server.port);
  await assert.rejects(client.call('GetVersion', EMPTY), { code: grpcStatus.RESOURCE_EXHAUSTED });
});

test('close waits for what is in flight', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: answerNow, resolve: finish } = Promise.withResolvers<void>();
  const server = await started({
    GetVersion: async () => {
      begin();
      await answerNow;
      return { version: 'late' };
    },
  });
  using client = new RawClient(server.port);
  const call = client.call('GetVersion', EMPTY);
  await begun;
  const closing = server.close({ graceMs: 60_000 });
  finish();
  assert.equal(decode('milvus.GetVersionResponse', await call).version, 'late');
  await closing;
});

async function http(
  port: number,
  path: string,
  init?: RequestInit,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, body: await response.json() };
}

test('close ends the connection of a request over HTTP with its answer', async () => {
  await using server = await started({ GetVersion: async () => ({ version: '2.6.0' }) });
  const socket = connect(server.port, '127.0.0.1').setEncoding('latin1');
  let told = '';
  socket.on('data', (text) => {
    told += text;
  });
  const head = 'host: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 2';
  socket.write(`POST /v2/vectordb/collections/list HTTP/1.1\r\n${head}\r\n\r\n`);
  await once(socket, 'data');
  assert.match(told, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  const ended = [once(socket, 'close'), server.close({ graceMs: 60_000 })];
  socket.write('{}');
  await Promise.all(ended);
  assert.match(told, /\r\nconnection: close\r\n/i);
});

test('the same port speaks HTTP/1.1 and answers in JSON', async () => {
  await using server = await started({ GetVersion: async () => ({ version: '2.6.0' }) });
  using client = new RawClient(server.port);
  assert.deepEqual(await http(server.port, '/'), {
    status: 200,
    body: { code: 0, data: { name: 'elanus', version: '9.9.9' } },
  });
  const lost = { method: 'POST', body: 'z'.repeat(100_000) };
  const response = await fetch(`http://127.0.0.1:${server.port}/v2/x?y=1`, lost);
  assert.equal(response.status, 404);
  assert.equal(await response.text(), '404 page not found');
  await client.call('GetVersion', EMPTY);
});

/** All that the server sends on a socket until it closes it. */
async function conversation(port: number, send: (socket: Socket) => void): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => {});
  send(socket);
  await once(socket, 'close');
  return Buffer.concat(received);
}

test('garbage is answered or cut, and the port goes on serving', async () => {
  await using server = await started({ GetVersion: async () => ({ version: '2.6.0' }) });
  const words = [
    '\r\n\r\n',
    'GET',
    ' / HTTP/1.1\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01',
    'PRI',
    '\0\0\x12\x04',
  ];
  const garbage = fc.array(
    fc.oneof(
      fc.constantFrom(...words).map((word) => Buffer.from(word, 'latin1')),
      fc.uint8Array({ maxLength: 80 }),
    ),
    { minLength: 1, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(garbage, async (parts) => {
      await conversation(server.port, (socket) => {
        for (const part of parts) socket.write(part);
        socket.end();
      });
    }),
    { numRuns: 200 },
  );
  using client = new RawClient(server.port);
  await client.call('GetVersion', EMPTY);
});

test('a preface that comes byte by byte is still a preface', async () => {
  await using server = await started({});
  const answer = await conversation(server.port, async (socket) => {
    for (const byte of Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    socket.write(Buffer.from('000000040000000000', 'hex')); // an empty SETTINGS frame
    socket.end();
  });
  assert.equal(answer[3], 4, 'the server answers with its SETTINGS');
});

test('clients may send four MiB before they have to wait', async () => {
  await using server = await started({});
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  await once(session, 'remoteSettings');
  assert.equal(session.remoteSettings.initialWindowSize, 4 * 1024 * 1024);
  assert.equal(session.remoteSettings.maxConcurrentStreams, 1_024);
  session.destroy();
});

test('odd paths and headers get a status, not the end of the process', async () => {
  await using server = await started({ GetVersion: async () => ({ version: '2.6.0' }) });
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  await once(session, 'connect');
  const oddRequests: Record<string, string>[] = [
    { ':path': '/\u00e4\u00ff%zz' },
    { ':path': `/${'x'.repeat(30_000)}` },
    { ':path': `${SERVICE_PATH}GetVersion`, 'grpc-timeout': '1' },
    { ':path': `${SERVICE_PATH}GetVersion`, 'grpc-timeout': '99999999999999999H' },
    { ':path': `${SERVICE_PATH}GetVersion`, 'grpc-encoding': 'nonsense' },
    { ':path': `${SERVICE_PATH}GetVersion`, 'dbname-bin': '\u00e4!' },
    { ':path': `${SERVICE_PATH}GetVersion`, 'content-type': 'text/html' },
  ];
  for (const odd of oddRequests) {
    const stream = session.request({
      ':method': 'POST',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...odd,
    });
    stream.on('error', () => {});
    stream.end(Buffer.from('0000000000', 'hex'));
    stream.resume();
    await once(stream, 'close');
  }
  session.destroy();
  using client = new RawClient(server.port);
  await client.call('GetVersion', EMPTY);
});
