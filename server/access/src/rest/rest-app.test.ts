import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { collectionNotFound, quotaExceeded } from '@elanus/model';
import { LoopShare, seededRandom, silentLogger, systemClock } from '@elanus/runtime';
import type { CallContext, Handlers } from '../handler.ts';
import { type RestOptions, restListener } from './rest-app.ts';

const RECEIVE_BYTES_MAX = 64 * 1024;
/** More than a piece of an answer, and than what a socket takes at once. */
const MANY_NAMES = Array.from({ length: 200_000 }, (_, at) => `collection_${at}`);

const headOf = (path: string) => `POST /v2/vectordb/${path} HTTP/1.1\r\nhost: x\r\n`;

type Answer = { readonly code: number; readonly message?: string; readonly data?: unknown };

describe('REST', () => {
  let server: Server;
  let port: number;
  const seen: CallContext[] = [];
  let waiting = Promise.withResolvers<CallContext>();
  const handlers: Handlers = {
    async ShowCollections(_, context) {
      seen.push(context);
      return { collectionNames: context.database === 'large' ? MANY_NAMES : ['c'] };
    },
    HasCollection(_, context) {
      waiting.resolve(context);
      return new Promise(() => {});
    },
    async DropCollection() {
      throw new TypeError('a mistake of ours');
    },
    async CreateAlias() {
      throw quotaExceeded('slower');
    },
  };
  const options: RestOptions = {
    handlers,
    root: { describeCollection: () => Promise.reject(collectionNotFound('default', 'c')) },
    limits: { nameBytesMax: 255, restRequestMs: 30_000, restInt64: 'number' },
    share: new LoopShare(systemClock),
    logger: silentLogger,
    random: seededRandom(1),
    receiveBytesMax: RECEIVE_BYTES_MAX,
    version: '9.9.9',
  };
  before(async () => {
    server = createServer(restListener(options)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  const send = async (
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) => await fetch(`http://127.0.0.1:${port}/v2/vectordb/${path}`, { method: 'POST', body, headers });
  const list = async (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Answer> => (await (await send('collections/list', body, headers)).json()) as Answer;

  it('reads bodies whatever their Content-Type, and answers with the headers that Milvus sends', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await send('collections/list', '{}', { 'content-type': type });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
      assert.equal(answer.headers.get('access-control-allow-origin'), '*');
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.match(answer.headers.get('x-milvus-trace-id')!, /^[0-9a-f]+$/);
      assert.deepEqual(await answer.json(), { code: 0, data: ['c'] });
    }
  });

  it('lets browsers ask before they call', async () => {
    const headers = { origin: 'http://elsewhere', 'access-control-request-method': 'POST' };
    const answer = await fetch(`http://127.0.0.1:${port}/v2/vectordb/collections/list`, {
      method: 'OPTIONS',
      headers,
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    assert.match(answer.headers.get('access-control-allow-methods')!, /POST/);
  });

  it('takes the database from the body, then from the header', async () => {
    for (const [body, headers, database] of [
      ['{"dbName":"a"}', { 'db-name': 'b' }, 'a'],
      ['{}', { 'db-name': 'b' }, 'b'],
      ['{}', {}, 'default'],
    ] as const) {
      await list(body, headers as Record<string, string>);
      assert.equal(seen.at(-1)!.database, database);
    }
  });

  it('reads compressed bodies', async () => {
    const body = '{"dbName":"packed"}';
    for (const [encoding, packed] of [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['br', brotliCompressSync(body)],
      ['identity', Buffer.from(body)],
    ] as const) {
      assert.equal((await list(packed, { 'content-encoding': encoding })).code, 0, encoding);
      assert.equal(seen.at(-1)!.database, 'packed');
    }
  });

  it('refuses bodies that are larger than they may be, packed or not', async () => {
    const large = Buffer.alloc(RECEIVE_BYTES_MAX + 1, ' ');
    const bomb = Buffer.alloc(64 * 1024 * 1024, ' ');
    for (const [body, headers] of [
      [large, {}],
      [gzipSync(bomb), { 'content-encoding': 'gzip' }],
      [brotliCompressSync(large), { 'content-encoding': 'br' }],
    ] as const) {
      const { code, message } = await list(body, headers as Record<string, string>);
      assert.equal(code, 1100);
      assert.match(message!, /larger than 65536 bytes/);
    }
    const empty = await list('');
    assert.equal(empty.code, 1801);
  });

  it('refuses what is packed in a way that nobody knows, or not at all', async () => {
    for (const encoding of ['zip', 'gzip', 'br', 'deflate'])
      assert.equal((await list('{}', { 'content-encoding': encoding })).code, 1801, encoding);
  });

  it('answers before it reads a body whose head says that it is too large', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /v2/vectordb/collections/list HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999999\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /"code":1100/);
    socket.destroy();
  });

  it('answers to a body that becomes too large while it comes', async () => {
    const socket = connect(port, '127.0.0.1');
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`;
    socket.write(`${headOf('collections/list')}transfer-encoding: chunked\r\n\r\n${chunk.repeat(3)}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /"code":1100/);
    socket.destroy();
  });

  it('gives up with HTTP 408 when the time that the request was given is over', async () => {
    const answer = await send('collections/has', '{"collectionName":"c"}', { 'request-timeout': '0.05' });
    assert.equal(answer.status, 408);
    assert.deepEqual(await answer.json(), { code: 10_001, message: 'request timeout' });
  });

  it('gives up after the configured time when the request names none', async () => {
    const limits = { ...options.limits, restRequestMs: 50 };
    const hasty = createServer(restListener({ ...options, limits })).listen(0, '127.0.0.1');
    await once(hasty, 'listening');
    const url = `http://127.0.0.1:${(hasty.address() as AddressInfo).port}/v2/vectordb/collections/has`;
    const answer = await fetch(url, { method: 'POST', body: '{"collectionName":"c"}' });
    assert.equal(answer.status, 408);
    hasty.closeAllConnections();
    await once(hasty.close(), 'close');
  });

  it('ends the call of a client that has left', async () => {
    const socket = connect(port, '127.0.0.1');
    const body = '{"collectionName":"c"}';
    waiting = Promise.withResolvers();
    socket.write(`${headOf('collections/has')}content-length: ${body.length}\r\n\r\n${body}`);
    const { signal } = await waiting.promise;
    const ended = once(signal!, 'abort');
    socket.destroy();
    await ended;
  });

  it('streams an answer that is large, and keeps the connection', async () => {
    const answer = await send('collections/list', '{"dbName":"large"}');
    assert.equal(answer.headers.get('transfer-encoding'), 'chunked');
    assert.deepEqual(((await answer.json()) as Answer).data, MANY_NAMES);
    assert.equal((await list('{}')).code, 0);
  });

  it('survives a client that leaves in the middle of a large answer', async () => {
    const socket = connect(port, '127.0.0.1');
    const body = '{"dbName":"large"}';
    socket.write(`${headOf('collections/list')}content-length: ${body.length}\r\n\r\n${body}`);
    await once(socket, 'data');
    socket.destroy();
    assert.equal((await list('{}')).code, 0);
  });

  it('tells its own faults from those of others', async () => {
    const own = await send('collections/drop', '{"collectionName":"c"}');
    assert.equal(own.status, 500);
    assert.deepEqual(await own.json(), { code: 500, message: 'unexpected error' });
    const limited = await send('aliases/create', '{"collectionName":"c","aliasName":"a"}');
    assert.equal(limited.status, 200);
    assert.equal(((await limited.json()) as Answer).code, 9);
    const nowhere = await send('nowhere', '{}');
    assert.deepEqual([nowhere.status, await nowhere.text()], [404, '404 page not found']);
    const unserved = await send('users/list', '{}');
    assert.equal(((await unserved.json()) as Answer).code, 10);
  });
});
