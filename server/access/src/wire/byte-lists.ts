import { isUtf8 } from 'node:buffer';
import { inSlices, type Work } from '../rows/sliced-work.ts';
import { LIST_DATA } from './field-data-format.ts';
import { tagOf, WIRE_TYPE, WireCursor, WireError } from './wire-cursor.ts';

/** Variable-length values side by side: value i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface ByteList {
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

const VALUE_TAG = tagOf(LIST_DATA, WIRE_TYPE.bytes);
/** Values that are copied in about half a millisecond, and bytes likewise. */
const SLICE_VALUES = 8 * 1024;
const SLICE_BYTES = 1024 * 1024;
/** Up to here a loop is quicker than a call into the engine's copy. */
const LOOP_BYTES_MAX = 48;

/** How many values member 1 of a list message (StringArray, JSONArray, SparseFloatArray) has. */
export function* countByteList(message: Uint8Array): Work<number> {
  const cursor = new WireCursor(message);
  let count = 0;
  for (let members = 1; !cursor.isAtEnd; members++) {
    const tag = cursor.uint32();
    cursor.skip(tag);
    if (tag === VALUE_TAG) count += 1;
    if (members % SLICE_VALUES === 0) yield;
  }
  return count;
}

/** Copies the values of member 1 of a list message side by side. */
export function* readByteList(message: Uint8Array): Work<ByteList> {
  const offsets = new Uint32Array((yield* countByteList(message)) + 1);
  // Each value has a tag and a length in front, so the values together are shorter than the message.
  const bytes = new Uint8Array(message.length);
  const cursor = new WireCursor(message);
  let index = 0;
  let end = 0;
  let sliceEnd = SLICE_BYTES;
  for (let members = 1; !cursor.isAtEnd; members++) {
    const tag = cursor.uint32();
    if (tag === VALUE_TAG) {
      const length = cursor.length();
      copyBytes(message, cursor.at, bytes, end, length);
      cursor.at += length;
      end += length;
      index += 1;
      offsets[index] = end;
    } else cursor.skip(tag);
    if (members % SLICE_VALUES === 0 || end > sliceEnd) {
      sliceEnd = end + SLICE_BYTES;
      yield;
    }
  }
  return { offsets, bytes: bytes.subarray(0, end) };
}

function copyBytes(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  if (length > LOOP_BYTES_MAX) to.set(from.subarray(at, at + length), toAt);
  else for (let i = 0; i < length; i++) to[toAt + i] = from[at + i]!;
}

/** @throws WireError when a value is not UTF-8 */
export function* checkUtf8({ offsets, bytes }: ByteList): Work<void> {
  const count = offsets.length - 1;
  for (let first = 0, end = 0; first < count; first = end) {
    if (first > 0) yield;
    for (end = first + 1; end < count && offsets[end]! - offsets[first]! < SLICE_BYTES; ) end += 1;
    if (!areUtf8(offsets, bytes, first, end)) {
      const bad = firstBadValue(offsets, bytes, first, end);
      throw new WireError(`text that is not valid UTF-8, row number: ${bad}`);
    }
  }
}

/** All values at once: valid together, and none begins in the middle of a character. */
function areUtf8(offsets: Uint32Array, bytes: Uint8Array, first: number, end: number): boolean {
  const [begin, stop] = [offsets[first]!, offsets[end]!];
  if (!isUtf8(bytes.subarray(begin, stop))) return false;
  for (let index = first; index < end; index++) {
    const at = offsets[index]!;
    if (at < stop && (bytes[at]! & 0xc0) === 0x80) return false;
  }
  return true;
}

function firstBadValue(offsets: Uint32Array, bytes: Uint8Array, first: number, end: number): number {
  let index = first;
  while (index < end - 1 && isUtf8(bytes.subarray(offsets[index], offsets[index + 1]))) index += 1;
  return index;
}

/** The reverse of `readByteList`: each value as member 1 of a list message. */
export function* encodeByteList({ offsets, bytes }: ByteList): Work<Uint8Array> {
  const count = offsets.length - 1;
  let total = offsets[count]! - offsets[0]!;
  yield* inSlices(count, (begin, end) => {
    for (let at = begin; at < end; at++) total += 1 + varintBytes(offsets[at + 1]! - offsets[at]!);
  });
  const list = Buffer.allocUnsafe(total);
  let next = 0;
  for (let index = 0; index < count; index++) {
    const length = offsets[index + 1]! - offsets[index]!;
    list[next++] = VALUE_TAG;
    let rest = length;
    for (; rest >= 0x80; rest >>>= 7) list[next++] = (rest & 0x7f) | 0x80;
    list[next++] = rest;
    copyBytes(bytes, offsets[index]!, list, next, length);
    next += length;
    if (index % SLICE_VALUES === SLICE_VALUES - 1) yield;
  }
  return list;
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}
