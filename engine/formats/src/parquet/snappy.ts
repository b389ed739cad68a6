import { FormatError } from '../byte-source.ts';

/** The lowest two bits of an element's first byte; all others are copies of what was there before. */
const LITERAL = 0;
const COPY_OF_11_BITS = 1;
const COPY_OF_16_BITS = 2;
/** Below this a loop is quicker than a call. */
const BULK_BYTES = 48;

/**
 * Fills `output` with the bytes that `bytes` are in Snappy's raw format, and returns it. hyparquet's reader of it moves one byte
 * after the other; vectors hardly shrink, so most of what they are is copied as it is.
 * @throws FormatError when they are anything else, or of another length
 */
export function inflateSnappy(bytes: Uint8Array, output: Uint8Array): Uint8Array {
  const { length } = output;
  let at = endOfLength(bytes);
  let filled = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === LITERAL) {
      // 60 and above: how many bytes say it.
      const sizeBytes = Math.max(0, (tag >>> 2) - 59);
      const count = (sizeBytes === 0 ? tag >>> 2 : littleEndian(bytes, at, sizeBytes)) + 1;
      at += sizeBytes;
      if (at + count > bytes.length || filled + count > length) throw damaged();
      if (count < BULK_BYTES) for (let i = 0; i < count; i++) output[filled + i] = bytes[at + i]!;
      else output.set(bytes.subarray(at, at + count), filled);
      at += count;
      filled += count;
      continue;
    }
    let count = (tag >>> 2) + 1;
    let distance: number;
    if (kind === COPY_OF_11_BITS) {
      count = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | littleEndian(bytes, at, 1);
      at += 1;
    } else {
      const distanceBytes = kind === COPY_OF_16_BITS ? 2 : 4;
      distance = littleEndian(bytes, at, distanceBytes);
      at += distanceBytes;
    }
    if (distance === 0 || distance > filled || filled + count > length) throw damaged();
    // One after the other: what is copied may be what was copied just now.
    for (let i = 0; i < count; i++) output[filled + i] = output[filled + i - distance]!;
    filled += count;
  }
  if (filled !== length) throw damaged();
  return output;
}

/** In front of the elements is a varint, which the page's header has said already. */
function endOfLength(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && bytes[at]! >= 0x80) at++;
  return at + 1;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw damaged();
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function damaged(): FormatError {
  return new FormatError('a page has damaged Snappy bytes');
}
