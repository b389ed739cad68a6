import { inSlices, runAtOnce, type Work } from '../rows/sliced-work.ts';
import { Concatenation, tagOf, WIRE_TYPE, WireCursor, WireError } from './wire-cursor.ts';

/** Bytes of varints that are read in about half a millisecond. */
const SLICE_BYTES = 128 * 1024;
/** Members that are walked over in about half a millisecond. */
const SLICE_MEMBERS = 16 * 1024;

const VARINT_BYTES_MAX = 10;

/** How the elements of a repeated number are written. */
export type PackedKind = 'varint' | 'fixed32' | 'fixed64';

/**
 * The elements of the repeated number `member` of `message`, one after the other as if they had been sent packed
 * and in one piece; a view whenever they were. Elements that were not packed are copied together.
 */
export function* packedContent(message: Uint8Array, member: number, kind: PackedKind): Work<Uint8Array> {
  const cursor = new WireCursor(message);
  const content = new Concatenation();
  const packedTag = tagOf(member, WIRE_TYPE.bytes);
  const singleTag = tagOf(member, WIRE_TYPE[kind]);
  for (let members = 1; !cursor.isAtEnd; members++) {
    const tag = cursor.uint32();
    if (tag === packedTag) {
      const packed = cursor.view();
      checkPacked(packed, kind);
      content.add(packed);
    } else {
      const begin = cursor.at;
      cursor.skip(tag);
      if (tag === singleTag) content.add(message.subarray(begin, cursor.at));
    }
    if (members % SLICE_MEMBERS === 0) yield;
  }
  return content.bytes;
}

function checkPacked(packed: Uint8Array, kind: PackedKind): void {
  const isWhole =
    kind === 'varint'
      ? packed.length === 0 || packed[packed.length - 1]! < 0x80
      : packed.length % bytesOf(kind) === 0;
  if (!isWhole) throw new WireError('the last element of a list is cut off');
}

function bytesOf(kind: 'fixed32' | 'fixed64'): number {
  return kind === 'fixed32' ? 4 : 8;
}

/** How many elements packed content holds. */
export function* countPacked(content: Uint8Array, kind: PackedKind): Work<number> {
  if (kind !== 'varint') return content.length / bytesOf(kind);
  let count = 0;
  for (let begin = 0; begin < content.length; begin += SLICE_BYTES) {
    if (begin > 0) yield;
    count += countVarints(content, begin, Math.min(content.length, begin + SLICE_BYTES));
  }
  return count;
}

function countVarints(content: Uint8Array, begin: number, end: number): number {
  let count = 0;
  for (let at = begin; at < end; at++) count += (content[at]! >>> 7) ^ 1;
  return count;
}

/** Packed int64 elements. */
export function* decodeInt64s(content: Uint8Array): Work<BigInt64Array> {
  const values = new BigInt64Array(yield* countPacked(content, 'varint'));
  const halves = new Int32Array(values.buffer);
  for (let begin = 0, index = 0; begin < content.length; ) {
    if (begin > 0) yield;
    const end = varintBoundary(content, begin + SLICE_BYTES);
    index = decodeInt64Slice(content, begin, end, halves, index);
    begin = end;
  }
  return values;
}

/** Packed int32, bool or enum elements: their low 32 bits. */
export function* decodeInt32s(content: Uint8Array): Work<Int32Array> {
  const values = new Int32Array(yield* countPacked(content, 'varint'));
  for (let begin = 0, index = 0; begin < content.length; ) {
    if (begin > 0) yield;
    const end = varintBoundary(content, begin + SLICE_BYTES);
    index = decodeInt32Slice(content, begin, end, values, index);
    begin = end;
  }
  return values;
}

/** Packed bools as 0 and 1. */
export function* decodeBools(content: Uint8Array): Work<Uint8Array> {
  const values = new Uint8Array(yield* countPacked(content, 'varint'));
  for (let begin = 0, index = 0; begin < content.length; ) {
    if (begin > 0) yield;
    const end = varintBoundary(content, begin + SLICE_BYTES);
    index = decodeBoolSlice(content, begin, end, values, index);
    begin = end;
  }
  return values;
}

/** The first place at or after `at` where a varint begins, or the end. Content ends in a whole varint. */
function varintBoundary(content: Uint8Array, at: number): number {
  if (at >= content.length) return content.length;
  while (content[at - 1]! >= 0x80) at += 1;
  return at;
}

function decodeInt64Slice(
  content: Uint8Array,
  begin: number,
  end: number,
  halves: Int32Array,
  index: number,
): number {
  for (let at = begin; at < end; index++) {
    let byte = content[at++]!;
    let low = byte & 0x7f;
    let high = 0;
    if (byte >= 0x80) {
      let shift = 7;
      do {
        if (shift > 63) throw new WireError('a number is longer than ten bytes');
        byte = content[at++]!;
        const bits = byte & 0x7f;
        if (shift < 28) low |= bits << shift;
        else if (shift === 28) {
          low |= bits << 28;
          high = bits >>> 4;
        } else high |= bits << (shift - 32);
        shift += 7;
      } while (byte >= 0x80);
    }
    halves[2 * index] = low;
    halves[2 * index + 1] = high;
  }
  return index;
}

function decodeInt32Slice(
  content: Uint8Array,
  begin: number,
  end: number,
  values: Int32Array,
  index: number,
): number {
  for (let at = begin; at < end; index++) {
    let byte = content[at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 63) throw new WireError('a number is longer than ten bytes');
      byte = content[at++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
    }
    values[index] = value;
  }
  return index;
}

function decodeBoolSlice(
  content: Uint8Array,
  begin: number,
  end: number,
  values: Uint8Array,
  index: number,
): number {
  for (let at = begin; at < end; index++) {
    let byte = content[at++]!;
    let bits = byte & 0x7f;
    for (let count = 1; byte >= 0x80; count++) {
      if (count > 9) throw new WireError('a number is longer than ten bytes');
      byte = content[at++]!;
      bits |= byte & 0x7f;
    }
    values[index] = bits === 0 ? 0 : 1;
  }
  return index;
}

/**
 * Packed floats: a view when the bytes happen to be aligned, else a copy. Elanus runs on little-endian machines.
 * A Buffer's own `slice` would be a view: copies of bytes are made by the constructor everywhere.
 */
export function decodeFloats(content: Uint8Array): Float32Array {
  const aligned = content.byteOffset % 4 === 0 ? content : new Uint8Array(content);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/** Packed doubles, as `decodeFloats`. */
export function decodeDoubles(content: Uint8Array): Float64Array {
  const aligned = content.byteOffset % 8 === 0 ? content : new Uint8Array(content);
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.length / 8);
}

/** int64 elements as packed varints. */
export function encodeInt64s(values: BigInt64Array): Uint8Array {
  return runAtOnce(encodeInt64sInSlices(values));
}

export function* encodeInt64sInSlices(values: BigInt64Array): Work<Uint8Array> {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const bytes = Buffer.allocUnsafe(VARINT_BYTES_MAX * values.length);
  let at = 0;
  yield* inSlices(values.length, (begin, end) => {
    at = encodeInt64Slice(halves, begin, end, bytes, at);
  });
  return bytes.subarray(0, at);
}

function encodeInt64Slice(
  halves: Int32Array,
  begin: number,
  end: number,
  bytes: Uint8Array,
  start: number,
): number {
  let at = start;
  for (let index = begin; index < end; index++) {
    let low = halves[2 * index]! >>> 0;
    let high = halves[2 * index + 1]! >>> 0;
    while (high !== 0 || low >= 0x80) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at++] = low;
  }
  return at;
}
