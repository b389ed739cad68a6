import { crc32 } from 'node:zlib';
import { assert } from '@elanus/model';
import type { MetaChange } from './meta-store.ts';

/** A journal of the meta store, drawn in docs/formats/meta-store.md. All numbers are little-endian, checksums CRC-32. */
export const JOURNAL_HEADER = { magicAt: 0, versionAt: 8, checksumAt: 12, bytes: 16 } as const;
export const JOURNAL_VERSION = 1;
const JOURNAL_MAGIC = Buffer.from('ELANUSCT', 'latin1');

const FRAME = {
  magicAt: 0,
  headChecksumAt: 4,
  payloadChecksumAt: 8,
  payloadBytesAt: 12,
  sequenceAt: 16,
  positionAt: 24,
  kindAt: 28,
  bytes: 32,
} as const;
const FRAME_MAGIC = Buffer.from([0xe7, 0x4a, 0x0c, 0xa7]);
/** What a payload says of a key that is removed, in the place of the value's length. */
const REMOVED = 0xffff_ffff;
const KINDS = ['snapshot', 'commit'] as const;

/** One commit, or all pairs as of one. */
export interface Frame {
  readonly kind: (typeof KINDS)[number];
  /** Commits are numbered 1, 2, 3 ...; of a snapshot that of the last commit in it. */
  readonly sequence: bigint;
  readonly changes: readonly MetaChange[];
}

/** A journal as it was found. */
export interface JournalContent {
  readonly frames: readonly Frame[];
  /** Where the next frame goes: behind the last one before the first damage. */
  readonly end: number;
  /** What there is behind `end`: nothing, bytes that are no frame, or bytes between frames; or the header is damaged. */
  readonly rest: 'none' | 'torn' | 'damaged';
}

export function encodeJournalHeader(): Buffer {
  const bytes = Buffer.alloc(JOURNAL_HEADER.bytes);
  JOURNAL_MAGIC.copy(bytes, JOURNAL_HEADER.magicAt);
  bytes.writeUInt32LE(JOURNAL_VERSION, JOURNAL_HEADER.versionAt);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, JOURNAL_HEADER.checksumAt)), JOURNAL_HEADER.checksumAt);
  return bytes;
}

/** The bytes of a frame that will begin at `position` of its journal. */
export function encodeFrame({ kind, sequence, changes }: Frame, position: number): Buffer {
  const payload = encodeChanges(changes);
  const head = Buffer.alloc(FRAME.bytes);
  FRAME_MAGIC.copy(head, FRAME.magicAt);
  head.writeUInt32LE(crc32(payload), FRAME.payloadChecksumAt);
  head.writeUInt32LE(payload.length, FRAME.payloadBytesAt);
  head.writeBigUInt64LE(sequence, FRAME.sequenceAt);
  head.writeUInt32LE(position, FRAME.positionAt);
  head.writeUInt32LE(KINDS.indexOf(kind), FRAME.kindAt);
  head.writeUInt32LE(crc32(head.subarray(FRAME.payloadChecksumAt)), FRAME.headChecksumAt);
  return Buffer.concat([head, payload]);
}

/**
 * Every frame that is sound, also behind damage.
 * @throws Error when a newer build has written the journal
 */
export function decodeJournal(bytes: Buffer): JournalContent {
  let rest: JournalContent['rest'] = isHeaderSound(bytes) ? 'none' : 'damaged';
  const frames: Frame[] = [];
  let end: number = JOURNAL_HEADER.bytes;
  for (let position: number = JOURNAL_HEADER.bytes; position < bytes.length; ) {
    const frame = decodeFrame(bytes, position);
    if (frame === null) {
      if (rest === 'none') rest = 'torn';
      const next = bytes.indexOf(FRAME_MAGIC, position + 1);
      position = next === -1 ? bytes.length : next;
      continue;
    }
    if (rest === 'torn') rest = 'damaged';
    frames.push(frame);
    position += frame.bytes;
    if (rest === 'none') end = position;
  }
  return { frames, end, rest };
}

function isHeaderSound(bytes: Buffer): boolean {
  if (bytes.length < JOURNAL_HEADER.bytes) return false;
  const sum = crc32(bytes.subarray(0, JOURNAL_HEADER.checksumAt));
  if (sum !== bytes.readUInt32LE(JOURNAL_HEADER.checksumAt)) return false;
  const version = bytes.readUInt32LE(JOURNAL_HEADER.versionAt);
  if (bytes.indexOf(JOURNAL_MAGIC) === JOURNAL_HEADER.magicAt && version > JOURNAL_VERSION)
    throw new Error(`the catalog has format ${version}, this build reads ${JOURNAL_VERSION}`);
  return true;
}

/** The frame at `position`, and its length; `null` when there is none that could be trusted. */
function decodeFrame(bytes: Buffer, position: number): (Frame & { readonly bytes: number }) | null {
  const head = bytes.subarray(position, position + FRAME.bytes);
  if (head.length < FRAME.bytes || !head.subarray(0, FRAME_MAGIC.length).equals(FRAME_MAGIC)) return null;
  const sum = crc32(head.subarray(FRAME.payloadChecksumAt));
  if (sum !== head.readUInt32LE(FRAME.headChecksumAt)) return null;
  // Values of the catalog may hold the bytes of a frame: those are in another place.
  if (head.readUInt32LE(FRAME.positionAt) !== position) return null;
  const kind = KINDS[head.readUInt32LE(FRAME.kindAt)];
  const length = head.readUInt32LE(FRAME.payloadBytesAt);
  const payload = bytes.subarray(position + FRAME.bytes, position + FRAME.bytes + length);
  if (kind === undefined || payload.length < length) return null;
  if (crc32(payload) !== head.readUInt32LE(FRAME.payloadChecksumAt)) return null;
  const sequence = head.readBigUInt64LE(FRAME.sequenceAt);
  return { kind, sequence, changes: decodeChanges(payload), bytes: FRAME.bytes + length };
}

function encodeChanges(changes: readonly MetaChange[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { key, value } of changes) {
    assert(key.isWellFormed(), 'a key is well-formed text');
    const name = Buffer.from(key, 'utf8');
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(name.length, 0);
    lengths.writeUInt32LE(value === null ? REMOVED : value.length, 4);
    parts.push(lengths, name);
    if (value !== null) parts.push(value);
  }
  return Buffer.concat(parts);
}

/** Of a payload whose checksum was right. */
function decodeChanges(payload: Buffer): readonly MetaChange[] {
  const changes: MetaChange[] = [];
  for (let at = 0; at < payload.length; ) {
    const keyEnd = at + 8 + payload.readUInt32LE(at);
    const valueBytes = payload.readUInt32LE(at + 4);
    const key = payload.toString('utf8', at + 8, keyEnd);
    at = keyEnd + (valueBytes === REMOVED ? 0 : valueBytes);
    changes.push({
      key,
      value: valueBytes === REMOVED ? null : Uint8Array.from(payload.subarray(keyEnd, at)),
    });
  }
  return changes;
}
