import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { IdlePoll, systemClock } from '@elanus/runtime';
import fc from 'fast-check';
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

async function connected(server: Server): Promise<ClientHttp2Session> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1024 });
}

/** A connection to a server that knows `digest`. */
async function openDigests() {
  const grpc = new GrpcServer({
    handlers: new Map([[PATH, digest]]),
    receiveBytesMax: BYTES_MAX,
    sendBytesMax: BYTES_MAX,
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

test('calls of one connection, cut and mixed, broken off and too long, keep their bytes apart', async () => {
  await using digests = await openDigests();
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
    { numRuns: 40 },
  );
});
