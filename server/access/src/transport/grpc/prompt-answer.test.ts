import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { sendMessage } from './prompt-answer.ts';

type Chunk = { readonly chunk: Uint8Array };

/** One end of a connection in memory, which counts what is written to it. */
class End extends Duplex {
  writes = 0;
  other: End | null = null;

  override _read(): void {}

  override _write(chunk: Uint8Array, _: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: readonly Chunk[], done: () => void): void {
    this.writes += 1;
    for (const { chunk } of chunks) this.other!.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.other!.push(null);
    done();
  }
}

/** A server that answers every request with `pieces` once all of it is there, and a client of it with windows of `windowBytes`. */
function connected(pieces: readonly Uint8Array[], windowBytes = 65_535) {
  const near = new End();
  const far = new End();
  near.other = far;
  far.other = near;
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      sendMessage(stream, pieces);
    });
  });
  server.emit('connection', far);
  const settings = { initialWindowSize: windowBytes };
  const client = connect('http://localhost', { createConnection: () => near, settings });
  return { client, server: far };
}

/** What a call brings: its bytes and its trailers. */
async function ask(client: ClientHttp2Session): Promise<{ bytes: Buffer; trailers: IncomingHttpHeaders }> {
  const call = client.request({ ':method': 'POST', ':path': '/' });
  const trailers = once(call, 'trailers');
  call.end('a question');
  const bytes = await buffer(call);
  return { bytes, trailers: (await trailers)[0] as IncomingHttpHeaders };
}

test('headers, message and trailers are one write', async () => {
  const { client, server } = connected([Buffer.from('an answer')]);
  // Of the first answer Node itself encodes the trailers.
  await ask(client);
  for (let time = 0; time < 3; time++) {
    const before = server.writes;
    const { bytes, trailers } = await ask(client);
    assert.equal(bytes.toString(), 'an answer');
    assert.equal(trailers['grpc-status'], '0');
    assert.equal(server.writes - before, 1);
  }
  client.destroy();
});

test('a long message comes whole through a small window, and its trailers behind it', async () => {
  const message = Buffer.alloc(300_000, 'elanus');
  const { client } = connected([Buffer.from('head'), message], 100);
  for (let time = 0; time < 3; time++) {
    const { bytes, trailers } = await ask(client);
    assert.ok(bytes.equals(Buffer.concat([Buffer.from('head'), message])));
    assert.equal(trailers['grpc-status'], '0');
  }
  client.destroy();
});

test('many calls of one connection at once have each its own answer', async () => {
  const { client } = connected([Buffer.from('an answer')]);
  const answers = await Promise.all(Array.from({ length: 200 }, () => ask(client)));
  for (const { bytes, trailers } of answers)
    assert.deepEqual([bytes.toString(), trailers['grpc-status']], ['an answer', '0']);
  client.destroy();
});

test('where Node has its handle elsewhere it sends the trailers itself', () => {
  const sent: unknown[] = [];
  const stream = Object.assign(new EventEmitter(), {
    _write: (chunk: Uint8Array) => sent.push(Buffer.from(chunk).toString()),
    end: () => stream.emit('wantTrailers'),
    sendTrailers: (trailers: object) => sent.push(trailers),
  });
  sendMessage(stream as unknown as ServerHttp2Stream, [Buffer.from('an answer')]);
  assert.deepEqual(sent, ['an answer', { 'grpc-status': '0' }]);
});
