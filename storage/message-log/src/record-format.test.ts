import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelName, Timestamp } from '@elanus/model';
import { SimulatedDisk, seededRandom } from '@elanus/runtime';
import fc from 'fast-check';
import { channelDirectoryName, channelOfDirectory } from './channel-directory.ts';
import { decodeFileHeader, encodeFileHeader } from './file-header.ts';
import { type LogItem, readLogFile } from './log-file-reader.ts';
import { FILE_HEADER, RECORD_MAGIC } from './log-format.ts';
import { payloadChecksum } from './payload-checksum.ts';
import {
  decodeRecordHeader,
  decodeSpan,
  encodeRecordHead,
  encodeSpan,
  isHeadSound,
} from './record-header.ts';

const uint32 = () => fc.nat(0xffff_ffff);
const timestamps = () => fc.bigInt(1n, (1n << 63n) - 1n).map((value) => value as Timestamp);
const channels = () => fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value as ChannelName);

const fileHeaders = fc.record(
  { salt: uint32(), number: fc.nat(), previousEnd: uint32(), afterTimestamp: timestamps() },
  { noNullPrototype: true },
);

test('a file header reads back', () => {
  fc.assert(
    fc.property(fileHeaders, (header) => {
      assert.deepEqual(decodeFileHeader(encodeFileHeader(header)), { state: 'valid', header });
    }),
  );
});

test('a flipped bit in a file header is damage, or harmless in its version, but never another version', () => {
  fc.assert(
    fc.property(fileHeaders, fc.nat(FILE_HEADER.bytes * 8 - 1), (header, bit) => {
      const bytes = encodeFileHeader(header);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const read = decodeFileHeader(bytes);
      const isVersionBit = bit >= FILE_HEADER.versionAt * 8 && bit < FILE_HEADER.checksumAt * 8;
      assert.equal(read.state, isVersionBit ? 'valid' : 'damaged');
    }),
  );
});

test('a header of a later version is recognised as such', () => {
  const bytes = encodeFileHeader({ salt: 1, number: 1, previousEnd: 0, afterTimestamp: 0n as Timestamp });
  bytes[FILE_HEADER.versionAt] = 2;
  bytes[FILE_HEADER.checksumAt]! ^= 0xff;
  assert.deepEqual(decodeFileHeader(bytes), { state: 'foreign', version: 2 });
});

test('a record head reads back, and any flipped bit is found', () => {
  const heads = fc.record({
    timestamp: timestamps(),
    position: fc.nat(1_000_000),
    salt: uint32(),
    payloadBytes: fc.nat(1_000_000),
    payloadChecksum: uint32(),
    others: fc.array(channels(), { maxLength: 5 }),
    bit: fc.nat(),
  });
  fc.assert(
    fc.property(heads, ({ others, bit, ...fields }) => {
      const head = encodeRecordHead({ ...fields, batchAt: fields.position }, encodeSpan(others));
      const expected = { position: fields.position, salt: fields.salt };
      const header = decodeRecordHeader(head, expected);
      assert.ok(header !== null && isHeadSound(head, header));
      assert.equal(header.timestamp, fields.timestamp);
      assert.equal(header.payloadBytes, fields.payloadBytes);
      head[(bit >> 3) % head.length]! ^= 1 << (bit & 7);
      const broken = decodeRecordHeader(head, expected);
      const isSound = broken !== null && isHeadSound(head.subarray(0, 48 + broken.spanBytes), broken);
      assert.equal(isSound, false);
    }),
  );
});

test('a span reads back as well-formed text', () => {
  fc.assert(
    fc.property(fc.array(channels(), { maxLength: 20 }), (others) => {
      const wellFormed = others.map((name) => name.toWellFormed());
      assert.deepEqual(decodeSpan(encodeSpan(others)), wellFormed);
    }),
  );
});

test('random bytes are no span, or one, but never crash the reader', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeSpan(bytes)));
});

test('a channel name is found again from its directory, and no other name is taken for one', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 20 }), (name) => {
      const directory = channelDirectoryName(name as ChannelName);
      assert.match(directory, /^[A-Za-z0-9_%-]+$/);
      assert.equal(channelOfDirectory(directory), name);
    }),
  );
  for (const name of ['.', '..', '', 'a.dropped-7', 'a%2', 'ä', 'a%2f'])
    assert.equal(channelOfDirectory(name), null);
});

async function read(bytes: Uint8Array, salt: number | null, payloads: 'read' | 'skip'): Promise<LogItem[]> {
  const disk = new SimulatedDisk({ random: seededRandom(1) }).mount();
  await using file = await disk.open('/file', 'create');
  await file.writeDurably([bytes], 0);
  const items: LogItem[] = [];
  const range = { from: 0, to: bytes.length, salt, afterTimestamp: 0n as Timestamp, payloads };
  for await (const item of readLogFile(file, range)) items.push(item);
  return items;
}

/** Bytes that look like a log now and then: magics and whole heads in the middle of anything. */
const nearlyLogs = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.constant(RECORD_MAGIC),
      fc.constant(new Uint8Array(60)),
      fc
        .record({ position: fc.nat(400), payloadBytes: fc.nat(300), salt: fc.constantFrom(1, 2) })
        .map((head) =>
          encodeRecordHead(
            { ...head, timestamp: 5n as Timestamp, batchAt: 0, payloadChecksum: 0 },
            encodeSpan(['x' as ChannelName]),
          ),
        ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts)));

test('whatever bytes it reads, the reader neither crashes nor stands still, and leaves out only zeros', async () => {
  await fc.assert(
    fc.asyncProperty(
      nearlyLogs,
      fc.constantFrom(1, null),
      fc.constantFrom('read' as const, 'skip' as const),
      async (...[bytes, salt, payloads]) => {
        let at = 0;
        for (const item of await read(bytes, salt, payloads)) {
          const [from, to] = item.kind === 'gap' ? [item.from, item.to] : [item.header.position, item.end];
          assert.equal(from, at, 'items follow each other');
          assert.ok(to > from && to <= bytes.length, 'items move on and stay within the file');
          at = to;
        }
        assert.ok(
          bytes.subarray(at).every((byte) => byte === 0),
          'what is left out is zero',
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('a record inside the payload of a damaged one is not taken for a record', async () => {
  const inner = encodeRecordHead(
    { timestamp: 9n as Timestamp, position: 0, batchAt: 0, salt: 7, payloadBytes: 0, payloadChecksum: 0 },
    new Uint8Array(0),
  );
  const outer = encodeRecordHead(
    {
      timestamp: 9n as Timestamp,
      position: 0,
      batchAt: 0,
      salt: 7,
      payloadBytes: inner.length,
      payloadChecksum: payloadChecksum([inner]),
    },
    new Uint8Array(0),
  );
  outer[30]! ^= 1;
  const items = await read(Uint8Array.from(Buffer.concat([outer, inner])), 7, 'read');
  assert.deepEqual(
    items.map((item) => item.kind),
    ['gap'],
  );
});
