/**
 * The bytes of a log file, drawn in docs/formats/message-log.md. All numbers are little-endian.
 * Readers trust nothing they find: every length is bounded before memory is taken for it.
 */

export const LITTLE_ENDIAN = true;
export const LOG_VERSION = 1;

/** At the start of every file. */
export const FILE_HEADER = {
  bytes: 64,
  magicAt: 0,
  versionAt: 8,
  checksumAt: 12,
  saltAt: 16,
  previousEndAt: 20,
  numberAt: 24,
  afterTimestampAt: 32,
} as const;

/** "ELANUSLG" */
export const FILE_MAGIC = Uint8Array.of(0x45, 0x4c, 0x41, 0x4e, 0x55, 0x53, 0x4c, 0x47);

/** At the start of every record; the span and the payload follow. */
export const RECORD_HEADER = {
  bytes: 48,
  magicAt: 0,
  headChecksumAt: 4,
  payloadChecksumAt: 8,
  saltAt: 12,
  positionAt: 16,
  batchAt: 20,
  spanBytesAt: 24,
  payloadBytesAt: 28,
  timestampAt: 32,
  kindAt: 40,
  flagsAt: 41,
} as const;

/** Chosen to be rare in text, in floats near 1 and in small integers. */
export const RECORD_MAGIC = Uint8Array.of(0xe7, 0x1a, 0x9d, 0xc3);

export const RecordKind = { data: 1 } as const;

/** Four messages of the largest size that a client may send by default. */
export const PAYLOAD_BYTES_MAX = 256 * 1024 * 1024;

/** 64 channels whose names have 1,000 bytes: four times the shards a collection may have. */
export const SPAN_BYTES_MAX = 64 * 1024;

/** A new file is begun when one has this size, so that a log can be cut by removing whole files. */
export const FILE_BYTES_ROLL = 64 * 1024 * 1024;

/** No file is larger, so positions fit 32 bits with room: the last batch may begin just below the roll. */
export const FILE_BYTES_MAX = FILE_BYTES_ROLL + 2 * PAYLOAD_BYTES_MAX;

/** Says of the file before that its end is not known: then it is read as far as it goes. */
export const PREVIOUS_END_UNKNOWN = 0xffff_ffff;
