/** The bytes of a segment file, drawn in docs/formats/segment-files.md. Numbers are little-endian, checksums CRC-32. */
export const LITTLE_ENDIAN = true;
export const SEGMENT_FILE_VERSION = 1;

/** At both ends of an Arrow file; at its beginning padded to 8 bytes. */
export const ARROW_MAGIC = Buffer.from('ARROW1');
export const ARROW_HEAD_BYTES = 8;
/** In front of each message of Arrow: this and the length of its metadata. */
export const MESSAGE_PREFIX = { bytes: 8, continuation: 0xffff_ffff, lengthAt: 4 } as const;
/** Behind Arrow's footer: its length and the magic. */
export const ARROW_TAIL_BYTES = 10;

/** Buffers begin at a multiple of this in the file, for wide loads of mapped columns; so does what is behind them. */
export const ALIGNMENT = 64;

/** In front of Arrow's footer, behind our own. */
export const TRAILER = {
  bytes: 40,
  magicAt: 0,
  versionAt: 8,
  /** Over our footer. */
  footerChecksumAt: 12,
  footerBytesAt: 16,
  /** Over Arrow's footer, and over what is in front of the first column's buffers. */
  arrowFooterChecksumAt: 20,
  headBytesAt: 24,
  headChecksumAt: 28,
  /** Four bytes of zeros, then the checksum of the trailer up to here. */
  checksumAt: 36,
} as const;
export const TRAILER_MAGIC = Buffer.from('ELANUSSF');

/** Footers are a few hundred bytes for each column, and there are at most some hundred columns. */
export const FOOTER_BYTES_MAX = 16 * 1024 * 1024;
/** Arrow counts rows of one batch and bytes of text with 31 bits. */
export const ROWS_MAX = 2 ** 31 - 1;
export const TEXT_BYTES_MAX = 2 ** 31 - 1;

/** Of the column of write timestamps, which no user field has. */
export const TIMESTAMP_FIELD_ID = 1;
export const TIMESTAMP_NAME = '$timestamp';

/** `length` rounded up to the alignment. */
export function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
