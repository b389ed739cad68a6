import { isShape, SHAPE_BYTES_MAX } from '@elanus/expr';
import { type GeometryColumn, invalidParameter } from '@elanus/model';
import type { Work } from '../rows/sliced-work.ts';

/** Bytes of WKT that are read in about half a millisecond. */
const SLICE_BYTES = 8 * 1024;
const TEXT_LENGTH_SHOWN_MAX = 64;

/** Every value is the WKT of a shape, of at most 64 KiB. @throws MilvusError 1100 */
export function* checkShapes({ length, offsets, bytes, validity }: GeometryColumn): Work<void> {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sliceEnd = SLICE_BYTES;
  for (let row = 0; row < length; row++) {
    if (validity?.[row] === 0) continue;
    const [begin, end] = [offsets[row]!, offsets[row + 1]!];
    if (end - begin > SHAPE_BYTES_MAX) {
      throw invalidShape(`a WKT of ${end - begin} bytes, at most ${SHAPE_BYTES_MAX} are taken, row ${row}`);
    }
    const text = source.toString('utf8', begin, end);
    if (!isShape(text)) throw invalidShape(`${text.slice(0, TEXT_LENGTH_SHOWN_MAX)} is no WKT, row ${row}`);
    if (end > sliceEnd) {
      sliceEnd = end + SLICE_BYTES;
      yield;
    }
  }
}

/** With Milvus' words in front. */
export function invalidShape(reason: string): Error {
  return invalidParameter(`invalid Geometry data, transform to wkb failed: ${reason}`);
}
