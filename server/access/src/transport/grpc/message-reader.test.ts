import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GrpcError } from './grpc-status.ts';
import { MessageReader } from './message-reader.ts';

const BYTES_MAX = 4 * 1024 * 1024;

function framed(message: Uint8Array, { flags = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Reads from memory that is lent for each chunk, and has other bytes afterwards. */
function read(...chunks: readonly Buffer[]) {
  const reader = new MessageReader('/s/M', BYTES_MAX);
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    reader.push(lent);
    lent.fill(0xff);
  }
  return reader.finish();
}

test('a message is the same however its bytes were cut', () => {
  fc.assert(
    fc.property(
      fc.nat(3_000_000),
      fc.boolean(),
      fc.array(fc.nat(3_000_005), { maxLength: 12 }),
      (length, isCompressed, cuts) => {
        const message = Buffer.alloc(length, 'elanus');
        const bytes = framed(message, { flags: isCompressed ? 1 : 0 });
        const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
        const received = read(...chunks);
        assert.equal(received.isCompressed, isCompressed);
        assert.ok(received.bytes.equals(message), 'the bytes of the message');
      },
    ),
    { numRuns: 50 },
  );
});

test('a message that came in several pieces has memory of its own', () => {
  const bytes = framed(Buffer.from('whole'));
  assert.equal(read(bytes).hasOwnMemory, false, 'others may have parts of it');
  assert.equal(read(bytes.subarray(0, 7), bytes.subarray(7)).hasOwnMemory, true);
});

test('a prefix that claims much takes no memory before the bytes come', () => {
  const reader = new MessageReader('/s/M', 0xffff_ffff);
  reader.push(framed(Buffer.alloc(10), { length: 0xffff_ffff }));
  assert.throws(() => reader.finish(), GrpcError);
});

const REFUSALS: readonly (readonly [
  what: string,
  chunks: readonly Buffer[],
  status: number,
  says: RegExp,
])[] = [
  ['nothing', [], 13, /^The call of \/s\/M ended before its message$/],
  ['half a prefix', [Buffer.alloc(3)], 13, /ended before its message/],
  ['half a message', [framed(Buffer.alloc(3), { length: 4 })], 13, /ended before its message/],
  ['two messages', [Buffer.concat([framed(Buffer.alloc(3)), framed(Buffer.alloc(0))])], 13, /more than one/],
  ['two messages in two chunks', [framed(Buffer.alloc(3)), framed(Buffer.alloc(3))], 13, /more than one/],
  ['unknown flags', [framed(Buffer.alloc(3), { flags: 2 })], 13, /cannot have the flags 2/],
  [
    'a byte too many',
    [framed(Buffer.alloc(0), { length: BYTES_MAX + 1 })],
    8,
    /larger than max \(4194305 vs 4194304\)/,
  ],
];

for (const [what, chunks, status, says] of REFUSALS)
  test(`${what}: refused`, () => {
    assert.throws(
      () => read(...chunks),
      (error: GrpcError) => error.status === status && says.test(error.message),
    );
  });
