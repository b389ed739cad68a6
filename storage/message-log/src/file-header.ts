import { crc32 } from 'node:zlib';
import { assert, type Timestamp } from '@elanus/model';
import { FILE_HEADER, FILE_MAGIC, LITTLE_ENDIAN, LOG_VERSION } from './log-format.ts';

export interface FileHeader {
  /** Drawn when the file is made; repeated in its records, so that foreign bytes are never taken for one. */
  readonly salt: number;
  /** From 1, without gaps; the file's name. */
  readonly number: number;
  /** Where the records of the file before end; whatever it holds behind that was never acknowledged. */
  readonly previousEnd: number;
  /** No record of the files before is later. */
  readonly afterTimestamp: Timestamp;
}

export type FileHeaderRead =
  | { readonly state: 'valid'; readonly header: FileHeader }
  | { readonly state: 'damaged' }
  /** Written by another version of Elanus. */
  | { readonly state: 'foreign'; readonly version: number };

export function encodeFileHeader(header: FileHeader): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER.bytes);
  const view = new DataView(bytes.buffer);
  bytes.set(FILE_MAGIC, FILE_HEADER.magicAt);
  view.setUint32(FILE_HEADER.versionAt, LOG_VERSION, LITTLE_ENDIAN);
  view.setUint32(FILE_HEADER.saltAt, header.salt, LITTLE_ENDIAN);
  view.setUint32(FILE_HEADER.previousEndAt, header.previousEnd, LITTLE_ENDIAN);
  view.setBigUint64(FILE_HEADER.numberAt, BigInt(header.number), LITTLE_ENDIAN);
  view.setBigUint64(FILE_HEADER.afterTimestampAt, header.afterTimestamp, LITTLE_ENDIAN);
  view.setUint32(FILE_HEADER.checksumAt, checksum(bytes), LITTLE_ENDIAN);
  assert(decodeFileHeader(bytes).state === 'valid', 'a file header reads back');
  return bytes;
}

/** Never throws, whatever the bytes are. */
export function decodeFileHeader(bytes: Uint8Array): FileHeaderRead {
  if (bytes.length < FILE_HEADER.bytes) return { state: 'damaged' };
  const head = bytes.slice(0, FILE_HEADER.bytes);
  const view = new DataView(head.buffer);
  if (!FILE_MAGIC.every((byte, index) => head[index] === byte)) return { state: 'damaged' };
  const version = view.getUint32(FILE_HEADER.versionAt, LITTLE_ENDIAN);
  // With our version put in its place, a header of ours whose version was hit by a flipped bit still adds up.
  view.setUint32(FILE_HEADER.versionAt, LOG_VERSION, LITTLE_ENDIAN);
  const sound = checksum(head) === view.getUint32(FILE_HEADER.checksumAt, LITTLE_ENDIAN);
  // Zeros stand where a write was torn.
  if (!sound && (version === LOG_VERSION || version === 0)) return { state: 'damaged' };
  if (!sound) return { state: 'foreign', version };
  return {
    state: 'valid',
    header: {
      salt: view.getUint32(FILE_HEADER.saltAt, LITTLE_ENDIAN),
      previousEnd: view.getUint32(FILE_HEADER.previousEndAt, LITTLE_ENDIAN),
      number: Number(view.getBigUint64(FILE_HEADER.numberAt, LITTLE_ENDIAN)),
      afterTimestamp: view.getBigUint64(FILE_HEADER.afterTimestampAt, LITTLE_ENDIAN) as Timestamp,
    },
  };
}

/** Over everything but the checksum itself. */
function checksum(header: Uint8Array): number {
  const before = crc32(header.subarray(0, FILE_HEADER.checksumAt));
  return crc32(header.subarray(FILE_HEADER.saltAt, FILE_HEADER.bytes), before);
}
