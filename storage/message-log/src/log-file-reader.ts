import type { ChannelName, Timestamp } from '@elanus/model';
import type { SequentialReader } from '@elanus/runtime';
import { FileWindow } from './file-window.ts';
import { RECORD_HEADER, RECORD_MAGIC } from './log-format.ts';
import { isShortPayload, longPayloadChecksum, payloadChecksum } from './payload-checksum.ts';
import {
  decodeRecordHeader,
  decodeSpan,
  isHeadSound,
  type RecordHeader,
  recordBytes,
} from './record-header.ts';

/** What stands at one place of a log file. */
export type LogItem = LogFileRecord | LogFileGap;

export interface LogFileRecord {
  readonly kind: 'record';
  readonly header: RecordHeader;
  /** The other channels of its write. */
  readonly span: readonly ChannelName[];
  /** Lent until the next item is asked for; `null` when payloads are skipped. */
  readonly payload: Uint8Array | null;
  /** Where the next record begins. */
  readonly end: number;
}

/** Bytes that are no record: torn by a crash, or damaged. The reader cannot tell which. */
export interface LogFileGap {
  readonly kind: 'gap';
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export interface LogFileRange {
  /** Where a record begins. */
  readonly from: number;
  /** Nothing from here on is looked at. */
  readonly to: number;
  /** The file's salt; `null` when its header is lost: then the first sound record says it. */
  readonly salt: number | null;
  /** Records at or before this cannot be: they become gaps. */
  readonly afterTimestamp: Timestamp;
  /** `skip` reads little more than the heads, and cannot see damage in a payload. */
  readonly payloads: 'read' | 'skip';
}

/** Read at once: about a millisecond of work, so that replay shares the event loop. */
const CHUNK_BYTES = 256 * 1024;
/** Read at once behind a long record: what follows is no head, mostly. */
const HEAD_CHUNK_BYTES = 4 * 1024;

/**
 * Everything in `range`, in order and without overlap, ending before the zeros of space that was
 * allocated and never used. Whatever the bytes are, it neither throws (but for the disk's errors) nor
 * takes memory beyond one record, and it always moves on.
 */
export async function* readLogFile(
  file: Pick<SequentialReader, 'read'>,
  range: LogFileRange,
): AsyncGenerator<LogItem> {
  const window = new FileWindow(file, range.to);
  let { salt, from: position, afterTimestamp } = range;
  let lastBytes = 0;
  while (position + RECORD_HEADER.bytes <= range.to) {
    const chunkBytes = lastBytes > CHUNK_BYTES / 4 ? HEAD_CHUNK_BYTES : CHUNK_BYTES;
    const head = await readHead(window, position, { salt, to: range.to, chunkBytes });
    if (head === null) {
      const gap = await findGap(window, position, { salt, to: range.to });
      if (gap === null) return;
      yield gap;
      position = gap.to;
      continue;
    }
    const { header, span } = head;
    salt = header.salt;
    lastBytes = recordBytes(header);
    const end = position + lastBytes;
    const item = await readBody(window, { header, span, afterTimestamp, payloads: range.payloads });
    if (item.kind === 'record') afterTimestamp = header.timestamp;
    yield item;
    position = end;
  }
  // A few last bytes that are too short for a record: what an append left that was cut off by a crash.
  const rest = range.to > position ? await window.from(position, range.to - position, 0) : null;
  if (rest !== null && !isZero(rest)) yield gapOf(position, range.to, 'a record is cut off');
}

interface RecordHead {
  readonly header: RecordHeader;
  readonly span: readonly ChannelName[];
}

/** The head of the record at `position`, or `null` when there is none that could be trusted. */
async function readHead(
  window: FileWindow,
  position: number,
  {
    salt,
    to,
    chunkBytes,
  }: { readonly salt: number | null; readonly to: number; readonly chunkBytes: number },
): Promise<RecordHead | null> {
  let bytes = await window.from(position, RECORD_HEADER.bytes, chunkBytes);
  const header = decodeRecordHeader(bytes, { position, salt });
  if (header === null || position + recordBytes(header) > to) return null;
  const headBytes = RECORD_HEADER.bytes + header.spanBytes;
  if (bytes.length < headBytes) bytes = await window.from(position, headBytes, chunkBytes);
  const head = bytes.subarray(0, headBytes);
  if (head.length < headBytes || !isHeadSound(head, header)) return null;
  const span = decodeSpan(head.subarray(RECORD_HEADER.bytes));
  return span === null ? null : { header, span };
}

async function readBody(
  window: FileWindow,
  { header, span, afterTimestamp, payloads }: RecordHead & Pick<LogFileRange, 'afterTimestamp' | 'payloads'>,
): Promise<LogItem> {
  const end = header.position + recordBytes(header);
  if (header.timestamp <= afterTimestamp) {
    return gapOf(header.position, end, `timestamp ${header.timestamp} is not after ${afterTimestamp}`);
  }
  if (payloads === 'skip') return { kind: 'record', header, span, payload: null, end };
  const payload = await window.lend(end - header.payloadBytes, header.payloadBytes);
  const sum = isShortPayload(payload.length)
    ? payloadChecksum([payload])
    : await longPayloadChecksum([payload]);
  const sound = payload.length === header.payloadBytes && sum === header.payloadChecksum;
  if (!sound) return gapOf(header.position, end, 'the payload does not match its checksum');
  return { kind: 'record', header, span, payload, end };
}

/**
 * From `from`, where no record is, to the next place where one is, or to the end of the range. `null`
 * when there are only zeros. A record is known by its magic, its place, its salt and its checksum, so
 * that a payload which holds the bytes of a log is not taken for one.
 */
async function findGap(
  window: FileWindow,
  from: number,
  { salt, to }: { readonly salt: number | null; readonly to: number },
): Promise<LogFileGap | null> {
  const reason = 'no record where one should begin';
  let zero = true;
  let position = from;
  while (position < to) {
    const bytes = await window.from(position, RECORD_MAGIC.length, CHUNK_BYTES);
    if (bytes.length === 0) break;
    zero &&= isZero(bytes);
    for (let at = bytes.indexOf(RECORD_MAGIC); at !== -1; at = bytes.indexOf(RECORD_MAGIC, at + 1)) {
      const candidate = position + at;
      if (candidate === from) continue;
      const head = await readHead(window, candidate, { salt, to, chunkBytes: CHUNK_BYTES });
      if (head !== null) return gapOf(from, candidate, reason);
    }
    // The last bytes may be the beginning of a magic that goes on in the next chunk.
    position += Math.max(1, bytes.length - RECORD_MAGIC.length + 1);
  }
  return zero ? null : gapOf(from, to, reason);
}

function gapOf(from: number, to: number, reason: string): LogFileGap {
  return { kind: 'gap', from, to, reason };
}

const ZEROS = Buffer.alloc(CHUNK_BYTES);

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}
