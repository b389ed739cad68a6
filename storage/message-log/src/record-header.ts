import { crc32 } from 'node:zlib';
import { assert, type ChannelName, type Timestamp } from '@elanus/model';
import {
  LITTLE_ENDIAN,
  PAYLOAD_BYTES_MAX,
  RECORD_HEADER,
  RECORD_MAGIC,
  RecordKind,
  SPAN_BYTES_MAX,
} from './log-format.ts';

/** What stands before a payload, apart from the channel names of the span that follow it. */
export interface RecordHeader {
  readonly timestamp: Timestamp;
  /** Where in the file the record begins. */
  readonly position: number;
  /** Where its batch begins: when the record was written, all before was durable. At most `position`. */
  readonly batchAt: number;
  readonly salt: number;
  readonly spanBytes: number;
  readonly payloadBytes: number;
  readonly payloadChecksum: number;
  readonly headChecksum: number;
}

/** The bytes of record, span and payload together. */
export function recordBytes(header: Pick<RecordHeader, 'spanBytes' | 'payloadBytes'>): number {
  return RECORD_HEADER.bytes + header.spanBytes + header.payloadBytes;
}

/** The head of a record: its header and its span, which the head's checksum covers together. */
export function encodeRecordHead(
  header: Omit<RecordHeader, 'spanBytes' | 'headChecksum'>,
  span: Uint8Array,
): Uint8Array {
  assert(header.batchAt <= header.position, 'a batch begins at or before its records');
  assert(span.length <= SPAN_BYTES_MAX, 'a span fits its bound');
  assert(header.payloadBytes <= PAYLOAD_BYTES_MAX, 'a payload fits its bound');
  const head = new Uint8Array(RECORD_HEADER.bytes + span.length);
  const view = new DataView(head.buffer);
  head.set(RECORD_MAGIC, RECORD_HEADER.magicAt);
  view.setUint32(RECORD_HEADER.payloadChecksumAt, header.payloadChecksum, LITTLE_ENDIAN);
  view.setUint32(RECORD_HEADER.saltAt, header.salt, LITTLE_ENDIAN);
  view.setUint32(RECORD_HEADER.positionAt, header.position, LITTLE_ENDIAN);
  view.setUint32(RECORD_HEADER.batchAt, header.batchAt, LITTLE_ENDIAN);
  view.setUint32(RECORD_HEADER.spanBytesAt, span.length, LITTLE_ENDIAN);
  view.setUint32(RECORD_HEADER.payloadBytesAt, header.payloadBytes, LITTLE_ENDIAN);
  view.setBigUint64(RECORD_HEADER.timestampAt, header.timestamp, LITTLE_ENDIAN);
  head[RECORD_HEADER.kindAt] = RecordKind.data;
  head.set(span, RECORD_HEADER.bytes);
  view.setUint32(RECORD_HEADER.headChecksumAt, headChecksum(head), LITTLE_ENDIAN);
  return head;
}

/**
 * Reads the header at the start of `bytes`, or `null` when none can be there: wrong magic, wrong place,
 * wrong file (`salt`, unless it is not known), or a length out of bounds. The head's checksum is not
 * looked at: that needs the span, see `isHeadSound`. Never throws.
 */
export function decodeRecordHeader(
  bytes: Uint8Array,
  expected: { readonly position: number; readonly salt: number | null },
): RecordHeader | null {
  if (bytes.length < RECORD_HEADER.bytes) return null;
  for (let index = 0; index < RECORD_MAGIC.length; index += 1) {
    if (bytes[index] !== RECORD_MAGIC[index]) return null;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEADER.bytes);
  const header: RecordHeader = {
    timestamp: view.getBigUint64(RECORD_HEADER.timestampAt, LITTLE_ENDIAN) as Timestamp,
    position: view.getUint32(RECORD_HEADER.positionAt, LITTLE_ENDIAN),
    batchAt: view.getUint32(RECORD_HEADER.batchAt, LITTLE_ENDIAN),
    salt: view.getUint32(RECORD_HEADER.saltAt, LITTLE_ENDIAN),
    spanBytes: view.getUint32(RECORD_HEADER.spanBytesAt, LITTLE_ENDIAN),
    payloadBytes: view.getUint32(RECORD_HEADER.payloadBytesAt, LITTLE_ENDIAN),
    payloadChecksum: view.getUint32(RECORD_HEADER.payloadChecksumAt, LITTLE_ENDIAN),
    headChecksum: view.getUint32(RECORD_HEADER.headChecksumAt, LITTLE_ENDIAN),
  };
  const belongsHere =
    header.position === expected.position && (expected.salt === null || header.salt === expected.salt);
  const bounded =
    header.batchAt <= header.position &&
    header.spanBytes <= SPAN_BYTES_MAX &&
    header.payloadBytes <= PAYLOAD_BYTES_MAX;
  return belongsHere && bounded ? header : null;
}

/** Whether `head`, header and span as `header` measures them, is what was written. */
export function isHeadSound(head: Uint8Array, header: RecordHeader): boolean {
  return headChecksum(head) === header.headChecksum && head[RECORD_HEADER.kindAt] === RecordKind.data;
}

function headChecksum(head: Uint8Array): number {
  return crc32(head.subarray(RECORD_HEADER.payloadChecksumAt));
}

/**
 * The other channels of a write that went to several, so that recovery can tell whether it is whole.
 * Nothing for a write to one channel. Otherwise a count and, for each name, its length and its UTF-8.
 */
export function encodeSpan(channels: readonly ChannelName[]): Uint8Array {
  if (channels.length === 0) return new Uint8Array(0);
  const names = channels.map((channel) => Buffer.from(channel, 'utf8'));
  const bytes = Buffer.alloc(2 + names.reduce((sum, name) => sum + 2 + name.length, 0));
  let at = bytes.writeUInt16LE(names.length, 0);
  for (const name of names) {
    at = bytes.writeUInt16LE(name.length, at);
    at += name.copy(bytes, at);
  }
  return bytes;
}

/** The inverse of `encodeSpan`. `null` when the bytes are none. Never throws. */
export function decodeSpan(span: Uint8Array): readonly ChannelName[] | null {
  if (span.length === 0) return [];
  if (span.length < 2) return null;
  const bytes = Buffer.from(span.buffer, span.byteOffset, span.length);
  const names: ChannelName[] = [];
  let at = 2;
  for (let left = bytes.readUInt16LE(0); left > 0; left -= 1) {
    if (at + 2 > bytes.length) return null;
    const end = at + 2 + bytes.readUInt16LE(at);
    if (end > bytes.length) return null;
    names.push(bytes.toString('utf8', at + 2, end) as ChannelName);
    at = end;
  }
  return at === bytes.length ? names : null;
}
