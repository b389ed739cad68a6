import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { HTTP2_INPUT, Http2Session, type Http2Streams } from './http2-session.ts';

const LIMITS = {
  streams: 100,
  streamWindowBytes: 65_536,
  connectionWindowBytes: 131_072,
  frameBytes: 16_384,
};
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY] = [0, 1, 3, 4, 6, 7] as const;
const [END_STREAM, ACK, END_HEADERS] = [1, 1, 4] as const;

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header as it is, which HPACK allows (RFC 7541, section 6.2.2). */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0, name.length),
    Buffer.from(name),
    Buffer.of(value.length),
    Buffer.from(value),
  ]);
}

const REQUEST_HEADERS = Buffer.concat([
  ...[literal(':method', 'POST'), literal(':scheme', 'http'), literal(':path', '/s/M')],
  ...[literal(':authority', 'here'), literal('dbname', 'books')],
]);

function request(stream: number, message: Uint8Array): Buffer {
  const head = frame(HEADERS, END_HEADERS, stream, REQUEST_HEADERS);
  return Buffer.concat([head, frame(DATA, END_STREAM, stream, message)]);
}

const BEGIN = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]);

/** Writes down what it is told, what comes of a body in one piece. */
class Told implements Http2Streams {
  readonly lines: string[] = [];
  readonly #bodies = new Map<number, string>();

  onRequest(stream: number, headers: string): void {
    this.lines.push(`${stream} asks ${headers.replaceAll('\n', ' ').trim()}`);
  }
  onData(stream: number, bytes: Uint8Array): void {
    this.#bodies.set(stream, (this.#bodies.get(stream) ?? '') + Buffer.from(bytes).toString('latin1'));
  }
  onEnd(stream: number): void {
    this.lines.push(`${stream} has said ${this.#bodies.get(stream) ?? 'nothing'}`);
  }
  onClosed(stream: number): void {
    this.lines.push(`${stream} is gone`);
  }
  onPong(): void {
    this.lines.push('pong');
  }
}

let told: Told;
let session: Http2Session;
beforeEach(() => {
  told = new Told();
  session = new Http2Session(LIMITS, told);
});
afterEach(() => session.close());

function receive(bytes: Uint8Array): boolean {
  HTTP2_INPUT.set(bytes);
  return session.receive(bytes.length);
}

interface Frame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** All that is to be sent now. */
function sent(): Frame[] {
  const pieces: Buffer[] = [];
  for (let next = session.send(); next instanceof Buffer; next = session.send()) pieces.push(next);
  const bytes = Buffer.concat(pieces);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    frames.push({ type: bytes[at + 3]!, stream: bytes.readUInt32BE(at + 5), payload });
    at += 9 + length;
  }
  return frames;
}

const bodyOf = (frames: readonly Frame[]) =>
  Buffer.concat(frames.filter(({ type }) => type === DATA).map(({ payload }) => payload));

test('requests are told of alike however their bytes are cut', () => {
  const bytes = Buffer.concat([BEGIN, request(1, Buffer.from('one')), request(3, Buffer.from('three'))]);
  const headers = '/s/M :method POST :scheme http :authority here dbname books';
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      told = new Told();
      session.close();
      session = new Http2Session(LIMITS, told);
      const ends = [...cuts.sort((a, b) => a - b), bytes.length];
      for (const [at, end] of ends.entries())
        assert.ok(receive(bytes.subarray(at === 0 ? 0 : ends[at - 1], end)));
      assert.deepEqual(told.lines, [
        `1 asks ${headers}`,
        '1 has said one',
        `3 asks ${headers}`,
        '3 has said three',
      ]);
    }),
  );
});

test('an answer is headers, its message behind a prefix, and trailers', () => {
  receive(Buffer.concat([BEGIN, request(1, Buffer.from('one'))]));
  sent();
  session.answer(1, Buffer.from('an answer'));
  const frames = sent();
  assert.deepEqual(
    frames.map(({ type, stream }) => [type, stream]),
    [HEADERS, DATA, HEADERS].map((type) => [type, 1]),
  );
  assert.equal(bodyOf(frames).toString('latin1'), '\0\0\0\0\x09an answer');
  assert.deepEqual(told.lines.slice(2), [], 'who has answered is not told of the end');
});

test('an answer goes as far as the client allows, and on when it allows more', () => {
  const message = Buffer.alloc(200_000, 'elanus');
  receive(Buffer.concat([BEGIN, request(1, Buffer.from('one'))]));
  session.answer(1, message);
  const first = bodyOf(sent());
  assert.equal(first.length, 65_535);
  const more = Buffer.alloc(4);
  more.writeUInt32BE(1_000_000);
  receive(Buffer.concat([frame(8, 0, 0, more), frame(8, 0, 1, more)]));
  const all = Buffer.concat([first, bodyOf(sent())]);
  assert.equal(all.readUInt32BE(1), message.length);
  assert.ok(all.subarray(5).equals(message));
});

test('a client that breaks off is told of once, and has no answer', () => {
  receive(Buffer.concat([BEGIN, request(1, Buffer.from('one')), frame(RST_STREAM, 0, 1, Buffer.alloc(4))]));
  assert.equal(told.lines.at(-1), '1 is gone');
  sent();
  session.answer(1, Buffer.from('late'));
  assert.deepEqual(sent(), []);
});

test('an answer of headers only ends its stream', () => {
  receive(Buffer.concat([BEGIN, request(1, Buffer.from('one'))]));
  sent();
  session.refuse(1, [':status', '200', 'grpc-status', '13', 'grpc-message', 'a b']);
  assert.deepEqual(
    sent().map(({ type }) => type),
    [HEADERS],
  );
});

test('a ping is sent, and its answer told of', () => {
  receive(BEGIN);
  sent();
  session.ping();
  assert.equal(sent()[0]?.type, PING);
  receive(frame(PING, ACK, 0, Buffer.alloc(8)));
  assert.deepEqual(told.lines, ['pong']);
});

test('who goes away answers what is open, and is over then', () => {
  receive(Buffer.concat([BEGIN, request(1, Buffer.from('one'))]));
  sent();
  session.goAway();
  assert.equal(sent()[0]?.type, GOAWAY);
  receive(request(3, Buffer.from('too late')));
  assert.equal(told.lines.length, 2, 'nobody is told of what comes after');
  assert.equal(session.send(), null);
  session.answer(1, Buffer.from('an answer'));
  assert.equal(sent().length, 3);
  assert.equal(session.send(), 'over');
});

const NO_HTTP2: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['another preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n')],
  ['a frame longer than allowed', Buffer.concat([BEGIN, frame(DATA, 0, 1, Buffer.alloc(20_000))])],
  ['data of no stream', Buffer.concat([BEGIN, frame(DATA, 0, 0, Buffer.alloc(5))])],
  ['headers that are none', Buffer.concat([BEGIN, frame(HEADERS, END_HEADERS, 1, Buffer.alloc(9, 0xff))])],
];

for (const [what, bytes] of NO_HTTP2)
  test(`${what}: the connection ends`, () => {
    const isSound = receive(bytes);
    sent();
    assert.ok(!isSound || session.send() === 'over');
    assert.deepEqual(told.lines, []);
  });

test('pings that nobody reads the answers of end the connection', () => {
  receive(BEGIN);
  const pings = Buffer.concat(Array.from({ length: 3_000 }, () => frame(PING, 0, 0, Buffer.alloc(8))));
  assert.equal(receive(pings), false);
});

test('damaged bytes end a connection or are told of, and nothing else', () => {
  const bytes = Buffer.concat([BEGIN, request(1, Buffer.from('one')), request(3, Buffer.from('three'))]);
  const damage = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 8 }), (hits) => {
      const damaged = Buffer.from(bytes);
      for (const [at, byte] of hits) damaged[at] = byte;
      const connection = new Http2Session(LIMITS, told);
      HTTP2_INPUT.set(damaged);
      connection.receive(damaged.length);
      connection.answer(1, Buffer.from('an answer'));
      while (connection.send() instanceof Buffer);
      connection.close();
    }),
    { numRuns: 300 },
  );
});

test('a session that is closed does nothing', () => {
  session.close();
  session.close();
  session.answer(1, Buffer.from('late'));
  session.refuse(1, [':status', '200']);
  session.ping();
  session.goAway();
  session.cancel(1);
  assert.equal(receive(BEGIN), false);
  assert.equal(session.send(), 'over');
});
