/**
 * The bytes of a write record, drawn in docs/formats/write-record.md. Numbers are little-endian; every
 * structure begins at a multiple of 8 from the start of the record. The log that holds it has the checksum.
 */
export const LITTLE_ENDIAN = true;
/**
 * Records are written in the lowest version that says all they hold. 2 knows the types Geometry, Text, Timestamptz and
 * ArrayOfVector, 3 knows parts whose rows are in a file.
 */
export const WRITE_RECORD_VERSION = { lowest: 1, ofNewTypes: 2, newest: 3 } as const;
export const ALIGNMENT = 8;

/** At the start of the record. */
export const RECORD_HEADER = { bytes: 8, versionAt: 0, kindAt: 2, duplicatesAt: 3, partsAt: 4 } as const;

export const KIND_NUMBER = { insert: 1, upsert: 2, delete: 3 } as const;
export const DUPLICATES_NUMBER = { replace: 0, keep: 1 } as const;

/**
 * At the start of each part. Row parts: the partition follows, then the columns; key parts: the partitions, then the keys; segment parts: the
 * partition, then what names the file.
 */
export const PART_HEADER = { bytes: 16, typeAt: 0, partitionsAt: 4, rowsAt: 8, columnsAt: 12 } as const;
export const PART_TYPE_NUMBER = { rows: 1, keys: 2, segment: 3 } as const;
/** Of a key part: wherever in the shard the keys are. */
export const ALL_PARTITIONS = 0xffff_ffff;

/** Behind the partition of a segment part. */
export const SEGMENT_PART = { bytes: 24, idAt: 0, bytesAt: 8, crc32At: 16 } as const;

/** At the start of each column, and of the elements within an array column. Its buffers follow. */
export const COLUMN_HEADER = {
  bytes: 24,
  fieldAt: 0,
  dataTypeAt: 4,
  flagsAt: 5,
  dimAt: 8,
  lengthAt: 12,
  /** Of text, JSON and sparse vectors; otherwise 0. */
  textBytesAt: 16,
} as const;
export const FLAG_VALIDITY = 1;

/** More cannot have been written: a part needs 16 bytes and a message is bounded far below this. */
export const PARTS_MAX = 65_536;
export const COLUMNS_MAX = 4_096;

/** `length` rounded up to the alignment. */
export function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
