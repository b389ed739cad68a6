import { deflateSync, gzipSync } from 'node:zlib';
import { SERVICE_PATH } from '@elanus/proto';
import { frame, type RawAnswer, type RawCall } from './wire-connection.ts';

/** A call that is no call, and what must come back for it. */
export interface BrokenCall {
  readonly what: string;
  readonly call: RawCall;
  readonly told: Partial<RawAnswer>;
}

/** gRPC's own statuses. */
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;

const RECEIVE_BYTES_MAX = 64 * 1024 * 1024;
const BOMB_BYTES = 512 * 1024 * 1024;
const HAS_COLLECTION = `${SERVICE_PATH}HasCollection`;
const EMPTY = new Uint8Array();

function toHasCollection(body: Uint8Array, headers: RawCall['headers'] = {}): RawCall {
  return { path: HAS_COLLECTION, body, headers };
}

const refused = (grpcStatus: number, grpcMessage: string): Partial<RawAnswer> => ({
  grpcStatus,
  grpcMessage,
});
const notThere = (path: string) => refused(UNIMPLEMENTED, `The server does not implement the method ${path}`);
/** Not UNIMPLEMENTED, which some clients take for an empty success. */
const noMessage = refused(INTERNAL, `The call of ${HAS_COLLECTION} ended before its message`);
const tooLarge = (bytes: number) =>
  refused(RESOURCE_EXHAUSTED, `Received message larger than max (${bytes} vs ${RECEIVE_BYTES_MAX})`);
const inflatesTooFar = refused(
  RESOURCE_EXHAUSTED,
  `Received message that decompresses to a size larger than ${RECEIVE_BYTES_MAX}`,
);

/** Calls that gRPC refuses before there is a message to look at. */
export const BROKEN_CALLS: readonly BrokenCall[] = [
  ...[`${SERVICE_PATH}Nothing`, '/milvus.proto.milvus.OtherService/HasCollection', '/'].map((path) => ({
    what: `a call of ${path}`,
    call: { path, body: frame(EMPTY) },
    told: notThere(path),
  })),
  ...['CreateReplicateStream', 'GetReplicateInfo'].map((method) => ({
    what: `a call of ${method}, whose answers have no place for a status`,
    call: { path: SERVICE_PATH + method, body: frame(EMPTY) },
    told: notThere(SERVICE_PATH + method),
  })),
  ...['text/html', 'application/json', undefined].map((contentType) => ({
    what: `the content type ${contentType}`,
    call: toHasCollection(frame(EMPTY), { 'content-type': contentType }),
    told: { httpStatus: 415, grpcStatus: null },
  })),
  { what: 'no message', call: toHasCollection(EMPTY), told: noMessage },
  { what: 'half of the head of a frame', call: toHasCollection(Buffer.alloc(3)), told: noMessage },
  {
    what: 'a frame that is cut off',
    call: toHasCollection(frame(Buffer.from('0a00', 'hex'), 0, 100)),
    told: noMessage,
  },
  {
    what: 'two messages',
    call: toHasCollection(Buffer.concat([frame(EMPTY), frame(EMPTY)])),
    told: refused(INTERNAL, `The call of ${HAS_COLLECTION} has more than one message`),
  },
  {
    what: 'a frame that claims four gigabytes',
    call: toHasCollection(frame(Buffer.from('0a00', 'hex'), 0, 0xffff_ffff)),
    told: tooLarge(0xffff_ffff),
  },
  {
    what: 'a message of a byte too many',
    call: toHasCollection(frame(new Uint8Array(RECEIVE_BYTES_MAX + 1))),
    told: tooLarge(RECEIVE_BYTES_MAX + 1),
  },
  {
    what: 'an unknown compression',
    call: toHasCollection(frame(gzipSync(EMPTY), 1), { 'grpc-encoding': 'nonsense' }),
    told: refused(UNIMPLEMENTED, 'Received message compressed with unsupported encoding "nonsense"'),
  },
  {
    what: 'a message that is not compressed but says so',
    call: toHasCollection(frame(Buffer.from('garbage'), 1), { 'grpc-encoding': 'gzip' }),
    told: refused(INTERNAL, 'Failed to decompress message'),
  },
  {
    what: 'a compressed message that is cut off',
    call: toHasCollection(frame(gzipSync(Buffer.alloc(1_000)).subarray(0, -9), 1), {
      'grpc-encoding': 'gzip',
    }),
    told: refused(INTERNAL, 'Failed to decompress message'),
  },
  {
    what: 'half a megabyte that inflates to 512',
    call: toHasCollection(frame(gzipSync(Buffer.alloc(BOMB_BYTES)), 1), { 'grpc-encoding': 'gzip' }),
    told: inflatesTooFar,
  },
  {
    what: 'the same with deflate',
    call: toHasCollection(frame(deflateSync(Buffer.alloc(BOMB_BYTES)), 1), { 'grpc-encoding': 'deflate' }),
    told: inflatesTooFar,
  },
  {
    what: 'a deadline that is none',
    call: toHasCollection(frame(EMPTY), { 'grpc-timeout': 'soon' }),
    told: refused(INTERNAL, 'Invalid grpc-timeout value "soon"'),
  },
  {
    what: 'a call that its client takes back in the middle of a frame',
    call: { ...toHasCollection(frame(Buffer.from('0a', 'hex'), 0, 1_000)), takenBack: true },
    told: { httpStatus: 0, grpcStatus: null },
  },
];

/** Bytes that are no message of any type, and what the reader says of them. */
export const BROKEN_MESSAGES: readonly (readonly [what: string, hex: string, says: string])[] = [
  ['a member that is cut off', '0aff', 'premature EOF'],
  ['a member of which nothing is there', '0a05', 'a member ends beyond its message|premature EOF'],
  ['a member longer than any memory', '0affffffff0f00', 'a member ends beyond its message|premature EOF'],
  ['a length of eleven bytes', '0affffffffffffffffffff01', 'invalid varint'],
  ['a tag without a member', '0a', 'premature EOF'],
  ['the member 0', '0000', 'a field has the number 0'],
  ['a group that ends before it begins', '0c', 'cant skip wire type 4'],
  ['a group that does not end', '0b', 'premature EOF'],
  ['wire type 6', '0e00', 'cant skip wire type 6'],
  ['wire type 7', '0f00', 'cant skip wire type 7'],
  ['a hundred thousand groups in one another', '0b'.repeat(100_000), 'maximum recursion depth reached'],
];
