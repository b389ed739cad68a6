import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { IdlePoll, systemClock } from '@elanus/runtime';
import fc from 'fast-check';
import { receiveInto } from './direct-receipt.ts';
import type { GrpcHandler } from './grpc-call.ts';
import { GrpcServer } from './grpc-server.ts';
import { GRPC_STATUS } from './grpc-status.ts';
import { PREFIX_BYTES } from './message-reader.ts';

/** Beyond the four megabytes that a message gets at once. */
const BYTES_MAX = 5 * 1024 * 1024;
const PATH = '/s/Digest';

/** Answers with what the request was, and gives its memory back, as an insert does. */
const digest: GrpcHandler = async (request, call) => {
  await setImmediate();
  const answer = digestOf(request);
  call.releaseRequest();
  return answer;
};

function digestOf(message: Uint8Array): Uint8Array {
  return createHash('sha256').update(message).digest();
}

async function connected(server: Server | Http2Server): Promise<ClientHttp2Session> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1024 });
}

/** A connection to a server that knows `digest`. */
async function openDigests(largeRequests: ReadonlySet<string>) {
  const grpc = new GrpcServer({
    handlers: new Map([[PATH, digest]]),
    receiveBytesMax: BYTES_MAX,
    sendBytesMax: BYTES_MAX,
    largeRequests,
    streamsPerConnectionMax: 100,
    windowBytes: { stream: 256 * 1024, connection: 1024 * 1024 },
    keepaliveMs: 60_000,
    keepaliveAnswerMsMax: 60_000,
    poll: new IdlePoll(systemClock),
  });
  const server = createServer((socket) => grpc.take(socket));
  const client = await connected(server);
  const close = async (): Promise<void> => {
    client.destroy();
    grpc.destroy();
    await once(server.close(), 'close');
  };
  return { client, [Symbol.asyncDispose]: close };
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

interface Sent {
  readonly length: number;
  /** Where its bytes are cut, as shares of them. */
  readonly cuts: readonly number[];
  readonly ending: 'end' | 'break' | 'second message';
}

/** The status of one call and its answer; `null`: it was broken off. */
interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
}

/** Sends a message piece by piece, letting other calls of the connection send theirs between. */
async function send(
  client: ClientHttp2Session,
  message: Uint8Array,
  { cuts, ending }: Sent,
): Promise<Answer | null> {
  const headers = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' };
  const call = client.request(headers);
  call.on('error', () => {});
  let status: number | undefined;
  for (const event of ['response', 'trailers'])
    call.on(event, (said: Record<string, string>) => {
      if (said['grpc-status'] !== undefined) status = Number(said['grpc-status']);
    });
  const answer = buffer(call);
  answer.catch(() => {});
  const bytes = framed(message);
  const ends = [...cuts.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b), bytes.length];
  const sent = ending === 'break' ? ends.slice(0, -1) : ends;
  for (const [at, end] of sent.entries()) {
    if (!call.writable) break;
    if (!call.write(bytes.subarray(at === 0 ? 0 : ends[at - 1], end))) await setImmediate();
    await setImmediate();
  }
  if (ending === 'break') {
    call.close(constants.NGHTTP2_CANCEL);
    return null;
  }
  if (ending === 'second message' && call.writable) call.write(framed(message));
  call.end();
  const body = await answer;
  return { status: status!, bytes: body.subarray(PREFIX_BYTES) };
}

test('bytes are put where their reader wants them, and none come as data', async () => {
  const message = Buffer.alloc(1_000_000, 'elanus');
  const put = Buffer.alloc(message.length);
  const isDirect: boolean[] = [];
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream) => {
    let received = 0;
    const room = () => put.subarray(received, received + 1 + (received % 40_000));
    isDirect.push(receiveInto(stream, { room, filled: (count) => (received += count) }));
    stream.on('data', () => assert.fail('bytes came as data'));
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(digestOf(put));
    });
  });
  const client = await connected(server);
  const call = client.request({ ':method': 'POST', ':path': '/' });
  call.end(message);
  assert.ok((await buffer(call)).equals(digestOf(message)));
  assert.deepEqual(isDirect, [true], 'this Node can');
  client.destroy();
  server.close();
});

test('what has come before anybody listened comes as data', async () => {
  const server = createHttp2Server();
  const isDirect: boolean[] = [];
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.once('readable', async () => {
      isDirect.push(receiveInto(stream, { room: () => Buffer.alloc(10), filled: () => {} }));
      stream.respond({ ':status': 200 });
      stream.end(await buffer(stream));
    });
  });
  const client = await connected(server);
  const call = client.request({ ':method': 'POST', ':path': '/' });
  call.end('early');
  assert.equal((await buffer(call)).toString(), 'early');
  assert.deepEqual(isDirect, [false]);
  client.destroy();
  server.close();
});

const length = fc.oneof(
  { weight: 4, arbitrary: fc.nat(200) },
  { weight: 4, arbitrary: fc.nat(300_000) },
  { weight: 1, arbitrary: fc.integer({ min: 4_000_000, max: BYTES_MAX + 2 }) },
);
const sent: fc.Arbitrary<Sent> = fc.record({
  length,
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
  ending: fc.oneof(
    { weight: 6, arbitrary: fc.constant('end' as const) },
    fc.constantFrom('break' as const, 'second message' as const),
  ),
});

for (const [kind, largeRequests] of [
  ['calls', new Set<string>()],
  ['calls that are mostly large', new Set([PATH])],
] as const)
  test(`${kind}, of one connection, cut and mixed, broken off and too long, keep their bytes apart`, async () => {
    await using digests = await openDigests(largeRequests);
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { minLength: 1, maxLength: 12 }), async (calls) => {
        const messages = calls.map((call, at) => Buffer.alloc(call.length, `call ${at} `));
        const answers = await Promise.all(
          calls.map(async (call, at) => await send(digests.client, messages[at]!, call)),
        );
        for (const [at, { length, ending }] of calls.entries()) {
          const answer = answers[at];
          if (ending === 'break') continue;
          if (length > BYTES_MAX) assert.equal(answer?.status, GRPC_STATUS.resourceExhausted);
          else if (ending === 'second message') assert.equal(answer?.status, GRPC_STATUS.internal);
          else assert.ok(answer?.bytes.equals(digestOf(messages[at]!)), `call ${at} got its own answer`);
        }
      }),
      { numRuns: 20 },
    );
  });
