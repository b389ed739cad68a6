import { DataType, type KeyColumn } from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';

const SLICE_ROWS = 64 * 1024;
/** Only so many bytes of a text count. */
const TEXT_BYTES_MAX = 100;

/**
 * The bucket of each key, 0 to `buckets - 1`, in the way Milvus chooses shards and partitions: murmur3-32 of
 * the eight little-endian bytes of an integer without its sign bit, CRC-32 of a text's first 100 bytes.
 */
export function* bucketsOf(keys: KeyColumn, buckets: number): Work<Uint16Array> {
  const result = new Uint16Array(keys.length);
  for (let begin = 0; begin < keys.length; begin += SLICE_ROWS) {
    if (begin > 0) yield;
    const end = Math.min(keys.length, begin + SLICE_ROWS);
    if (keys.dataType === DataType.Int64) hashIntegers(keys.values, begin, end, buckets, result);
    else hashTexts(keys.offsets, keys.bytes, begin, end, buckets, result);
  }
  return result;
}

function hashIntegers(
  values: BigInt64Array,
  begin: number,
  end: number,
  buckets: number,
  result: Uint16Array,
): void {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let row = begin; row < end; row++) {
    result[row] = (murmur3(halves[2 * row]!, halves[2 * row + 1]!) & 0x7fff_ffff) % buckets;
  }
}

/** murmur3-32 with seed 0 of two little-endian words. */
export function murmur3(low: number, high: number): number {
  let hash = mixWord(mixWord(0, low), high) ^ 8;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixWord(hash: number, word: number): number {
  const product = Math.imul(word, 0xcc9e_2d51);
  const mixed = hash ^ Math.imul((product << 15) | (product >>> 17), 0x1b87_3593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe654_6b64) | 0;
}

function hashTexts(
  offsets: Uint32Array,
  bytes: Uint8Array,
  begin: number,
  end: number,
  buckets: number,
  result: Uint16Array,
): void {
  for (let row = begin; row < end; row++) {
    const from = offsets[row]!;
    const to = Math.min(offsets[row + 1]!, from + TEXT_BYTES_MAX);
    result[row] = crc32(bytes, from, to) % buckets;
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb8_8320 : 0);
  return remainder >>> 0;
});

/** CRC-32 (IEEE). The engine's own is slower for so few bytes, because of the call. */
function crc32(bytes: Uint8Array, from: number, to: number): number {
  let remainder = 0xffff_ffff;
  for (let at = from; at < to; at++) {
    remainder = (remainder >>> 8) ^ CRC_TABLE[(remainder ^ bytes[at]!) & 0xff]!;
  }
  return (remainder ^ 0xffff_ffff) >>> 0;
}
